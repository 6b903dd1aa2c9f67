from provisioning.console.door import KEY_SECONDS, LASTS_SECONDS, Door, addressed, own


def test_the_link_opens_once() -> None:
    door = Door(100.0)
    key = door.key
    assert key is not None
    assert door.enter("something else", 101.0) is None
    cookie = door.enter(key, 101.0)
    assert cookie is not None
    assert door.enter(key, 102.0) is None
    assert door.knows(cookie, 102.0)
    assert not door.knows(cookie + "x", 102.0)
    assert not door.knows(cookie, 101.0 + LASTS_SECONDS)


def test_a_link_that_is_too_old_opens_nothing() -> None:
    door = Door(100.0)
    assert door.key is not None
    assert door.enter(door.key, 100.0 + KEY_SECONDS) is None


def test_nobody_is_known_before_somebody_came_in() -> None:
    assert not Door(0.0).knows("", 1.0)


def test_only_this_computer_and_its_own_page_count() -> None:
    assert addressed("127.0.0.1:80", 80)
    assert addressed("localhost:80", 80)
    assert not addressed("evil.example:80", 80)
    assert not addressed("127.0.0.1", 80)
    assert own("http://127.0.0.1:80", "127.0.0.1:80")
    assert not own("http://127.0.0.1:81", "127.0.0.1:80")
    assert not own(None, "127.0.0.1:80")
