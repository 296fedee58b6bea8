def counted(func):
    def wrapper(*args):
        wrapper.calls += 1  #! UG101
        return func(*args)
    wrapper.calls = 0
    return wrapper


@counted
def work():
    return 1
