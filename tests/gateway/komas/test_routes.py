import pytest

from gateway.komas import routes
from gateway.komas.routes import allowed, route_of
from gateway.rest.problem import Problem


def test_what_is_asked_is_found_by_method_and_path() -> None:
    assert route_of("GET", "/api/ws/status") is routes.STATUS
    assert route_of("HEAD", "/api/ws/status/") is routes.STATUS
    assert route_of("POST", "/api/ws/quick/stop") is routes.STOP


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/api/ws/status", "GET, HEAD, OPTIONS"),
        ("HEAD", "/api/ws/subscribe", "POST, OPTIONS"),
        ("POST", "/api/ws/sse/prices", "GET, OPTIONS"),
    ],
)
def test_another_method_is_told_which_there_are(method: str, path: str, allow: str) -> None:
    with pytest.raises(Problem) as refused:
        route_of(method, path)
    assert (refused.value.status, refused.value.allow) == (405, allow)
    assert allowed(path) == allow


def test_another_path_is_told_which_there_are() -> None:
    with pytest.raises(Problem, match="nothing at /api/ws/nothing; there are /api/ws/connect") as refused:
        route_of("GET", "/api/ws/nothing")
    assert refused.value.status == 404
