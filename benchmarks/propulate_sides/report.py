
def write(*a): pass
