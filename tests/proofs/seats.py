"""No seat may be sold twice."""
from hammer import prove, together

SEATS = 2_000


def attempt(m):
    flight = m.Flight(SEATS)
    sold = []

    def clerk(_):
        while flight.book():
            sold.append(1)

    together(clerk)
    if len(sold) != SEATS or flight.free != 0:
        return "%d of %d seats sold, %d free" % (len(sold), SEATS, flight.free)


prove(attempt)
