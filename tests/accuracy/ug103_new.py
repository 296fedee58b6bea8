class Only:
    _it = None

    def __new__(cls):
        if cls._it is None:  #! UG103
            cls._it = object.__new__(cls)
        return cls._it
