import decimal
import threading


def divide(a=1, b=3):
    with decimal.localcontext() as context:  # ok
        context.prec = 50
        return decimal.Decimal(a) / b


for _ in range(4):
    threading.Thread(target=divide).start()
