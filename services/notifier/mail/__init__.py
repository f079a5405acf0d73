"""What the notifier stores about mails (threads, deliveries, addresses), and its routes for recipients and operators."""
