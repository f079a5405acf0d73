#!/bin/sh
# Fills the placeholders of alertmanager.yml with the settings of docker-compose.yml, then starts Alertmanager.
set -eu
: "${ALERTS_TO:?set CHORUS_ALERTS_TO in .env to the address that receives alerts}"
case $SMTP_TLS in
  true | false) ;;
  *) echo "CHORUS_ALERTS_TLS is '$SMTP_TLS': set it to true or false in .env" >&2; exit 2 ;;
esac

value() { printf '%s' "$1" | sed 's/[\\&|]/\\&/g'; }
sed -e "s|\${SMTP}|$(value "$SMTP")|" -e "s|\${SMTP_TLS}|$SMTP_TLS|" -e "s|\${MAIL_FROM}|$(value "$MAIL_FROM")|" \
  -e "s|\${ALERTS_TO}|$(value "$ALERTS_TO")|" /etc/alertmanager/alertmanager.yml >/tmp/alertmanager.yml
exec alertmanager --config.file=/tmp/alertmanager.yml "$@"
