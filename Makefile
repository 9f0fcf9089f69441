.DEFAULT_GOAL := help
SHELL := /bin/bash
ONLY ?=

help:  ## Lists these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup:  ## Installs everything into .venv, from the hashed locks
	@requirements/setup.sh pipeline

.PHONY: help setup
