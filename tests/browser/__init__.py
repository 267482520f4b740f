"""Apps in a real browser.

This is a package, unlike its neighbours, because the browser is a fixture of the package: pytest stops it
before other tests come, whose event loops could not run beside the one of Playwright.
"""
