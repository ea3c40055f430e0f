"""Where Maven artifacts are looked for."""

from __future__ import annotations

from app.cli.local.maven import repositories

SETTINGS = """<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0"><mirrors>
<mirror><id>a</id><mirrorOf>external:http:*</mirrorOf><url>http://0.0.0.0/</url><blocked>true</blocked></mirror>
<mirror><id>b</id><mirrorOf>*,!central</mirrorOf><url>https://not-this.example/</url></mirror>
<mirror><id>c</id><mirrorOf>*</mirrorOf><url>https://blocked.example/</url><blocked>true</blocked></mirror>
<mirror><id>d</id><mirrorOf>central</mirrorOf><url>https://mirror.example/maven</url></mirror>
</mirrors></settings>"""


def test_repository_of_the_environment_is_the_only_one() -> None:
    assert list(repositories({"PIPC_MAVEN_REPO": "file:///srv/maven"})) == ["file:///srv/maven"]


def test_mirror_of_central_comes_before_central_and_blocked_ones_never(tmp_path) -> None:
    settings = tmp_path / "settings.xml"
    settings.write_text(SETTINGS)

    first, second = repositories({}, (str(settings), str(tmp_path / "absent.xml")))

    assert first == "https://mirror.example/maven"
    assert second.startswith("https://")


def test_unreadable_settings_are_passed_over(tmp_path) -> None:
    settings = tmp_path / "settings.xml"
    settings.write_text("<settings><mirrors>")

    assert len(list(repositories({}, (str(settings),)))) == 1
