"""What tests share: engines, browser, clients, factories."""
