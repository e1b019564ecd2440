"""Env files, JSON and searches, through the SDK's own client."""

import dagger
import pytest

pytestmark = pytest.mark.engine


async def test_variables_of_an_env_file(
    dag: dagger.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quotes go, references are replaced; raw ones are as they are written."""
    monkeypatch.setenv("OUTER", "from outside")
    text = "# note\nexport NAME='a b'\nURL=http://${HOST}/$OUTER\nHOST=h\n\nEMPTY=\n"
    env = dag.file(".env", text).as_env_file()
    assert await env.get("NAME") == "a b"
    assert await env.get("URL") == "http://h/from outside"
    assert await env.get("URL", raw=True) == "http://${HOST}/$OUTER"
    assert await env.get("MISSING") == ""
    assert (await env.exists("EMPTY"), await env.exists("MISSING")) == (True, False)
    assert [await v.name() for v in await env.variables()] == ["EMPTY", "HOST", "NAME", "URL"]


async def test_an_env_file_is_made_and_split(dag: dagger.Client) -> None:
    """By variable; a prefix picks a part, whose references still work."""
    env = (
        dag.env_file()
        .with_variable("ROOT", "/r")
        .with_variable("MY_APP_DIR", "${ROOT}/d")
        .with_variable("myApp_name", "n")
        .with_variable("ROOT", "/root")
        .without_variable("nothing")
    )
    assert await env.as_file().contents() == "ROOT=/root\nMY_APP_DIR=${ROOT}/d\nmyApp_name=n\n"
    part = env.namespace("my-app")
    assert {await v.name(): await v.value() for v in await part.variables()} == {
        "DIR": "/root/d",
        "name": "n",
    }
    made = dag.container().with_env_file_variables(env)
    assert await made.env_variable("MY_APP_DIR") == "/root/d"


async def test_a_variable_that_is_not_set_is_refused(dag: dagger.Client) -> None:
    """Where it is needed."""
    env = dag.env_file().with_variable("A", "$DRYDOCK_NOT_SET")
    with pytest.raises(dagger.QueryError, match="DRYDOCK_NOT_SET"):
        await env.get("A")


async def test_json_is_read(dag: dagger.Client) -> None:
    """From a file, by path, by type."""
    value = dag.file("p.json", '{"name": "n", "v": [1, true], "deep": {"x": "y"}}').as_json()
    assert await value.field(["name"]).as_string() == "n"
    assert await value.field(["deep", "x"]).as_string() == "y"
    numbers = await value.field(["v"]).as_array()
    assert (await numbers[0].as_integer(), await numbers[1].as_boolean()) == (1, True)
    assert sorted(await value.fields()) == ["deep", "name", "v"]
    assert await value.field(["deep"]).contents() == '{"x":"y"}'


async def test_json_is_written(dag: dagger.Client) -> None:
    """Field by field; what is no object on the way becomes one."""
    made = (
        dag.json()
        .with_field(["a", "b"], dag.json().new_integer(1))
        .with_field(["a", "c"], dag.json().new_string("x"))
        .with_field(["a", "b", "d"], dag.json().new_boolean(value=False))
    )
    assert await made.contents() == '{"a":{"b":{"d":false},"c":"x"}}'
    assert (
        await dag.json().with_contents(dagger.JSON("[1]")).contents(pretty=True, indent=" ")
        == "[\n 1\n]"
    )


@pytest.mark.parametrize(
    ("path", "message"),
    [(["no"], "no such field: 'no'"), (["a", "b"], "can't lookup field 'b' in non-object value")],
)
async def test_json_that_is_not_there(dag: dagger.Client, path: list[str], message: str) -> None:
    """By the name that is missing."""
    with pytest.raises(dagger.QueryError, match=message):
        await dag.json().with_contents(dagger.JSON('{"a": 1}')).field(path).contents()


async def test_what_is_no_json_is_refused(dag: dagger.Client) -> None:
    """And a value of another type."""
    with pytest.raises(dagger.QueryError, match="invalid JSON"):
        await dag.file("x", "{").as_json().contents()
    with pytest.raises(dagger.QueryError, match="value is not a string"):
        await dag.json().new_integer(1).as_string()


async def test_a_directory_is_searched(dag: dagger.Client) -> None:
    """Files by path, with where each match is; one file likewise."""
    made = (
        dag.directory()
        .with_new_file("a.py", "import os\nx = 'find me'\n")
        .with_new_file("sub/b.py", "# find me\n")
        .with_new_file("sub/c.md", "find me\n")
        .with_symlink("a.py", "link")
    )
    found = await made.search("find (m.)", globs=["*.py"])
    assert [(await r.file_path(), await r.line_number()) for r in found] == [
        ("a.py", 2),
        ("sub/b.py", 1),
    ]
    [submatch] = await found[0].submatches()
    facts = await submatch.text(), await submatch.start(), await submatch.end()
    assert facts == ("find me", 5, 12)
    names = await made.search("find", paths=["sub"], files_only=True, limit=1)
    assert [await r.file_path() for r in names] == ["sub/b.py"]
    [line] = await made.file("sub/c.md").search("find me", literal=True)
    assert await line.matched_lines() == "find me\n"
    assert await made.search("nowhere") == []


async def test_text_of_a_file_is_replaced(dag: dagger.Client) -> None:
    """Name and mode stay."""
    file = dag.file("conf", "a=1\nb=1\n", permissions=0o600)
    changed = file.with_replaced("=1", "=2", all=True)
    assert await changed.contents() == "a=2\nb=2\n"
    assert (await changed.name(), await changed.stat().permissions()) == ("conf", 0o600)
    assert await file.with_replaced("=1", "=2", first_from=2).contents() == "a=1\nb=2\n"
    with pytest.raises(dagger.QueryError, match=r"found multiple times: line 1 \(1-3\), line 2"):
        await file.with_replaced("=1", "=2").contents()
