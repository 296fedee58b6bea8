import threading

host, port = "localhost", 80


def configure(new_host="example.org", new_port=443):
    global host, port
    host = new_host  #! UG105
    port = new_port


def address():
    return "%s:%d" % (host, port)


threading.Thread(target=address).start()


for _ in range(4):
    threading.Thread(target=configure).start()
