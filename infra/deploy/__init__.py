"""`make deploy` and `make destroy`: the whole platform in an AWS account, or in an emulator that stands in for one."""
