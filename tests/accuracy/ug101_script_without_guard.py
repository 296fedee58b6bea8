"""A script that starts its counters and then goes on counting in main(), which nothing guards."""
import threading

lines = 0


def count(text):
    global lines
    for _ in text.splitlines():
        lines += 1  #! UG101


def main(argv):
    global lines
    for name in argv:
        lines += len(name.splitlines())  #! UG101


for part in ("a\nb", "c\nd"):
    threading.Thread(target=count, args=(part,)).start()
main(["e\nf"])
