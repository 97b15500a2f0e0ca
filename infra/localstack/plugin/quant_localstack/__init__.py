"""Three entry points of LocalStack. This folder is put on its path; nothing of the project is imported here."""
