"""The deliveries of the fake to its subscribers: subscriptions, bodies, and real signed HTTP requests."""
