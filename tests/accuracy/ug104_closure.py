def memo(function):
    table = {}

    def inner(x):
        if x not in table:  #! UG104
            table[x] = function(x)
        return table[x]

    return inner
