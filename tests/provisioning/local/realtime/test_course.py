from provisioning.local.realtime import Faults, HttpFault
from provisioning.local.realtime.course import Course
from provisioning.local.realtime.scenario import read_scenario

DAY = """
name: day
turns:
  - {heard: hello, say: Hi., faults: {responses: rate_limit_exceeded}}
  - {heard: goodbye, say: Bye.}
day:
  - {sessions: 2-3, faults: {secrets: quota}}
  - {sessions: 3, faults: {loss: 0.3}}
"""


def test_faults_follow_the_sessions_of_the_day() -> None:
    faults = Faults()
    course = Course(read_scenario(DAY, ""), faults)
    seen = []
    for _ in range(4):
        course.asked()
        seen.append((faults.secrets, faults.loss))
    assert seen == [(None, 0.0), (HttpFault.QUOTA, 0.0), (None, 0.3), (None, 0.0)]


def test_a_turns_faults_last_until_the_next_is_understood() -> None:
    faults = Faults()
    course = Course(read_scenario(DAY, ""), faults)
    course.asked()
    course.heard("Hello!")
    assert faults.responses == "rate_limit_exceeded"
    course.heard("goodbye")
    assert faults.responses is None


def test_switches_are_left_alone_where_nothing_goes_wrong() -> None:
    faults = Faults(loss=0.2)
    for scenario in (None, read_scenario("{name: calm, turns: [{heard: hello, say: Hi.}]}", "")):
        course = Course(scenario, faults)
        course.asked()
        course.heard("hello")
    assert faults == Faults(loss=0.2)
