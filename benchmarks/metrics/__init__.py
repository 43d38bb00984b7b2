"""What the metrics are worth: published figures reproduced, and agreement with people's labels."""
