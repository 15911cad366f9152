"""The rules of an exam day: pure decisions, standard library only.

Nothing here touches a disk, a network or a clock (`exam.clock` aside): every rule receives
the facts and the moment it must judge, and returns a verdict with its reasons.
"""
