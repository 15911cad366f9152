#!/bin/sh
# Asks the candidate screen of this machine whether it answers.
#   wait     until it does; for the browser, which must not be earlier
#   restart  three tries; then the agent is started again, which loses no record
# ADDRESS, PAUSE_S: for trying it by hand or in a test.
set -u
ADDRESS="${ADDRESS:-http://127.0.0.1:8610/local/state}"
PAUSE_S="${PAUSE_S:-2}"

answers() {
  curl --silent --fail --noproxy '*' --max-time 5 --output /dev/null "$ADDRESS"
}

case "${1:-}" in
  wait)
    until answers; do sleep "$PAUSE_S"; done
    ;;
  restart)
    for _ in 1 2 3; do
      answers && exit 0
      sleep "$PAUSE_S"
    done
    echo "the candidate screen does not answer: the kiosk is started again"
    systemctl restart kaochang-kiosk.service
    ;;
  *)
    echo "usage: screen-answers.sh wait|restart" >&2
    exit 2
    ;;
esac
