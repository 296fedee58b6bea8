import csv
import threading

reader = csv.reader(open("rows.csv"))


def work():
    for row in reader:  #! UG107
        print(row)


for _ in range(4):
    threading.Thread(target=work).start()
