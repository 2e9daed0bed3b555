#!/usr/bin/env python
"""Runs Django's commands with the example project's settings; the demo has its own."""

import os
import sys


def main() -> None:
    demo = sys.argv[1:2] == ["demo"]
    settings = "example_project.demo_settings" if demo else "example_project.settings"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
