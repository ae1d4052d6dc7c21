"""USSD: sessions on the screens of phones, over every carrier that has them."""
