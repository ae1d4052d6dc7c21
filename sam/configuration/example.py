"""The commented configuration that `dtns init` writes."""

from __future__ import annotations

from typing import Final

EXAMPLE: Final = """\
# The configuration of a dtns key service. Paths are relative to this file.
# `dtns config check` names every fault; a key left out has the value shown here.

[sam]
# The number to which phones send their asks.
service_number = "7267"
# Everything Sam must remember, an SQLite file.
store = "dtns.sqlite"
# What a store that comes back from a copy must not have forgotten. By default it stands beside
# this file's folder and has its name with `.journal`; best on another disk than the store.
# journal = "/var/lib/dtns-journal/dtns.journal"
# After so many days a decision loses the numbers it was about; 0 keeps them for ever.
retention_days = 400
# The master keys. Keep a copy in a safe; without it every SIM is worthless.
master_key = "master.key"
# Under systemd they may come as a credential instead; the shipped unit tells how.
# master_key_credential = "dtns-master-key"
# Through this Unix socket other dtns commands reach a running Sam; only its owner may.
admin_socket = "admin.sock"
# Log every step of every exchange, each with the number under which `dtns issue show` shows it.
log_exchanges = false

[policy]
# Life of a key where the asker names none, and the longest life granted: 1 to 104 weeks.
default_life_weeks = 26
longest_life_weeks = 52
# Highest limit class granted, 0 to 31.
highest_limit_class = 16
# Limit class of keys asked for in digits, by USSD; cut to the highest. 0 to 31.
typed_limit_class = 16
# What all unexpired keys of one payer may pay together, in minor units of the currency; a key that
# would go beyond gets the highest class that fits. 0 sets no bound.
exposure_limit = 0
# New keys that a party can ask for in a day; beyond it asks are refused. 1 to 10000.
asks_per_day = 50
# Answers given again to a party in a day; beyond it repeats meet silence. 1 to 100000.
repeats_per_day = 100
# How often the answer to one ask is sent again. 1 to 1000.
repeats_per_ask = 32
# Issue random keys only, which need the long sealed ticket.
random_keys = false

[payments]
# The currency of all purses, by its three letters in ISO 4217. The sums below are in its minor
# units (cents), and all of it is written into SIM files: what changes here holds for new ones.
currency = "KES"
# Above this a payer pays only against a request code of the payee's.
challenge_above = 1000000
# The most of one small payment, made without a key of the pair; 0 allows none.
small_limit = 5000
# What a SIM takes, until Sam has its log, by small payments, and by others from one payer.
small_total = 50000
peer_limit = 100000000

[network]
# Run a loopback network inside `dtns serve`, to which terminal phones attach.
embedded = true
# Where it listens: unix:PATH or tcp:HOST:PORT.
endpoint = "unix:network.sock"
# What it does to messages: mean delay and its spread in seconds, and three probabilities.
delay = 0.0
jitter = 0.0
loss = 0.0
duplication = 0.0
reordering = 0.0
# A whole number makes the network's faults repeatable.
# seed = 1

[gateway.loopback]
# Reach phones through a loopback network.
enabled = true
# Another network than the one above.
# endpoint = "tcp:127.0.0.1:7700"
# Messages that are sent and taken in in a minute at most, 0 for no limit; others wait.
send_per_minute = 0.0
receive_per_minute = 0.0
# USSD sessions of this code come to Sam, too; "" for none.
ussd_code = "*384#"
# The menu's language: en, sw, fr or hi.
language = "en"
# Where callers dial, as in "KE": numbers as people write them there are understood.
home_country = ""

[console]
# The operator's pages, for browsers; `dtns console token` makes what one logs in with.
enabled = false
# Where they listen: tcp:HOST:PORT or unix:PATH. Other machines come by ssh -L, or by a proxy that
# speaks HTTPS, and then url is how they call it: "https://sam.example.org".
listen = "tcp:127.0.0.1:7280"
# url = ""
# With them comes a page with two phones to learn on; they have a Sam of their own.
simulator = false

[metrics]
# /metrics for Prometheus, /healthz and /readyz. No login: nothing in it tells of any party.
enabled = false
listen = "tcp:127.0.0.1:7281"

# Reach phones through GSM modems, one section each; all of them share one queue.
# [gateway.modem.one]
# Its serial port; a pattern finds it again when it is plugged in as another device.
# device = "/dev/serial/by-id/usb-HUAWEI*if00*"
# The SIM's PIN, in a file that only Sam's user can read, or a systemd credential's name.
# pin_file = "modem-one.pin"
# pin_credential = "modem-one-pin"
# Messages that it may send in a minute, 0 for as many as it can; networks block busier SIMs.
# per_minute = 10
# baud = 115200
# delivery_reports = true
# enabled = true

# Reach phones through an operator's message centre (SMSC), by SMPP 3.4; one section each.
# TLS needs more packages: pip install 'dtns[smpp]'
# [gateway.smpp.operator]
# host = "smsc.example.net"
# port = 2775
# Its certificate is checked against the system's authorities, or those in tls_ca alone.
# tls = false
# tls_ca = "operator.pem"
# system_id = "dtns"
# The password alone, in a file that only Sam's user can read.
# password_file = "smpp-operator.password"
# system_type = ""
# One transceiver, or a pair of a transmitter and a receiver; and how many of these.
# bind = "transceiver"
# binds = 1
# Messages without an answer on one bind; messages in a second on all of them, 0 for no limit.
# window = 10
# per_second = 0
# What messages come from, if not from the service number; its type of number and plan.
# source = "7267"
# source_ton = 0
# source_npi = 0
# After so many seconds of silence the SMSC is asked whether it is there.
# enquire_seconds = 30
# USSD sessions of this code come from the SMSC, too; "" for none. The dialect in which it writes
# them: standard, reference, caller, notify or indication. Language and country as above.
# ussd_code = "*384#"
# ussd_dialect = "standard"
# language = "en"
# home_country = "KE"
# enabled = true

# Take the USSD that Osmocom's HLR routes to an entity (euse) of this name.
# [gateway.gsup.core]
# hlr = "tcp:127.0.0.1:4222"
# Its control interface, which knows whose number an IMSI is.
# control = "tcp:127.0.0.1:4259"
# euse = "dtns"
# ussd_code = "*384#"
# sms = "smpp"
# language = "en"
# home_country = "KE"
# enabled = true

# Take USSD callbacks of an aggregator, in the form of Africa's Talking, one section each.
# [gateway.ussd.at]
# listen = "tcp:127.0.0.1:8384"
# The last part of the path, /ussd/SECRET: 16 characters or more, in a file for Sam's user alone.
# path_file = "ussd-at.path"
# Who may ask: the aggregator's networks, or the proxy that speaks HTTPS for Sam.
# sources = "127.0.0.0/8, ::1/128"
# The carrier by which answers leave: loopback, modem or smpp.
# sms = "modem"
# language = "en"
# home_country = "KE"
# Characters that a handset shows at once, 40 to 182.
# screen_characters = 160
# enabled = true
"""
