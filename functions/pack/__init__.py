"""Makes the Lambda packages. Nothing of this folder is part of one."""
