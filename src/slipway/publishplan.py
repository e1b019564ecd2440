"""Which image a publish pushes where, by which tags, and what forbids it. Pure."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from . import git
from .config import TAG, registry_address
from .errors import ConfigError
from .project import Project
from .publication import COMMIT, Plan, Request, Tags, Tree


def plan(project: Project, request: Request, origin: git.Origin, tree: Tree) -> Plan:
    """Decide what is pushed where.

    Args:
        project: The project.
        request: What is to be published.
        origin: The state of the Git checkout.
        tree: How its files differ from the commit.

    Returns:
        The plan.

    Raises:
        ConfigError: Something is missing or forbidden; every problem at once.
    """
    return _Planner(project, request, origin, tree).plan()


@dataclass
class _Planner:
    """Collects what is wrong on the way."""

    project: Project
    request: Request
    origin: git.Origin
    tree: Tree
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def plan(self) -> Plan:
        """The plan, or every problem."""
        registry, user = self._registry(), self._user()
        self._check_address()
        revision, version = self._revision(), self._version()
        made = Plan(
            self.request.environment,
            registry,
            user,
            self._repositories(registry),
            self._tags(revision, self._release(version, revision)),
            revision,
            version,
            tuple(self.notes),
        )
        if self.problems:
            raise ConfigError(f"publish --env {self.request.environment}", self.problems)
        return made

    def _registry(self) -> str:
        given, configured = self.request.registry, self.project.registry.address
        if not given:
            if not configured:
                self.problems.append(
                    "no registry: set address under [registry] in slipway.toml, or pass --registry "
                    "registry.example.com/team/app (a .env can take it from GitLab's $CI_REGISTRY_IMAGE)"
                )
            return configured or ""
        try:
            address = registry_address(given)
        except ValueError as error:
            self.problems.append(f'--registry: "{given}" — expected {error}')
            return ""
        if configured and configured != address:
            self.notes.append(
                f"Pushed below {address}, as --registry or .env says; slipway.toml names {configured}"
            )
        return address

    def _check_address(self) -> None:
        """An address of one call alone makes images that are not the commit's."""
        given = self.request.api_url
        configured = self.project.environment(self.request.environment).api_url
        if given and given != configured:
            self.problems.append(
                f"--api-url is {given}, and {self.request.environment}'s api_url is {configured or 'not set'}: "
                "images by the commit's tag are built with what slipway.toml says. Set it there, or export these"
            )

    def _user(self) -> str | None:
        # A committed .env names the password's variable wherever it is, so the user alone decides.
        user = self.request.user or self.project.registry.user
        if user and not self.request.password:
            self.problems.append(
                f'the registry\'s user is "{user}", but there is no password: pass --registry-password '
                "env://NAME, or set SLIPWAY_REGISTRYPASSWORD=env://NAME in .env"
            )
        return user

    def _repositories(self, registry: str) -> dict[str, str]:
        named = self.project.repositories
        made = {name: f"{registry}/{named.get(name, name)}" for name in self.request.images}
        for repository, count in Counter(made.values()).items():
            if count > 1:
                names = " and ".join(n for n, where in made.items() if where == repository)
                self.problems.append(
                    f"{names} would both be pushed to {repository}: set repository for one of them"
                )
        return made

    def _revision(self) -> str:
        given, found = self.request.revision, self.origin.revision
        if given and not COMMIT.fullmatch(given):
            self.problems.append(f'--revision: "{given}" — expected the full hash of a commit')
            return given
        if not given and found == git.UNKNOWN:
            self.problems.append(
                "the commit cannot be told: there is no commit, or .git is not a folder here (a worktree); "
                "pass --revision with its full hash"
            )
        if given and found not in (git.UNKNOWN, given):
            self._forbid(f"--revision is {given[:12]}, but {found[:12]} is checked out")
        return given or found

    def _version(self) -> str | None:
        given, found = self.request.version, self.origin.tags
        if given and self.origin.revision != git.UNKNOWN and given not in found:
            tags = f"its tags are {', '.join(found)}" if found else "it has no tag"
            self._forbid(f'--version is "{given}", but no tag of the commit: {tags}', hint="")
            return None
        return given or self.origin.tag

    def _release(self, version: str | None, revision: str) -> str | None:
        """The tag of a release, which production alone has."""
        if self.tree.unknown:
            self._forbid(
                f"it cannot be told whether every file is committed: {self.tree.unknown}",
                production=True,
            )
        if not self._production:
            return None
        if self.tree.dirty:
            self._forbid(f"{self.tree.told()}: commit or stash them", production=True)
        if version and not self.tree.dirty:
            if re.match(TAG, version):
                return version
            self._forbid(
                f'the Git tag "{version}" cannot be an image tag (letters, digits and _ . -, at most 128)',
                hint="; tag the commit with another name",
                production=True,
            )
        elif not version and not self.request.version:
            self._forbid(
                f"the commit {revision[:12]} has no Git tag: tag it, and publish the tag",
                production=True,
            )
        return None

    def _tags(self, revision: str, release: str | None) -> dict[str, Tags]:
        """The tags of each image: an image is an environment's own only where its build differs there."""
        alike = [
            name
            for name in self.project.environments
            if self.project.is_production(name) == self._production
        ]
        # Production's commit has no tag of staging's for another image.
        everywhere = self._suffix(self.project.environments if self._production else alike)
        among_releases, moving = self._suffix(alike), self._moving()
        dirty = ""
        if self.tree.dirty:
            # Under the commit's own tag it would stand in the way of the commit's own images for good.
            self.notes.append(f"{self.tree.told()}: tagged as a change of the commit")
            dirty = f"-dirty-{self.tree.digest[:12]}"
        self._tell_own_images()
        made = {}
        for image in self.request.images:
            varies = self.project.varies(image)
            commit = revision + (everywhere if varies else "") + dirty
            tag = release and release + (among_releases if varies else "")
            made[image] = Tags(commit, tag, moving)
        if moving in {tag for tags in made.values() for tag in tags.staying}:
            self.problems.append(
                f'the Git tag "{moving}" is also the tag that moves with the environment '
                f"{self.request.environment}: name either of them otherwise"
            )
        return made

    def _tell_own_images(self) -> None:
        """Images that no other environment runs, and what is in their files."""
        own = [image for image in self.request.images if self.project.varies(image)]
        if own and self._suffix(self.project.environments):
            environment = self.project.environment(self.request.environment)
            values = dict(environment.build_args)
            if environment.api_url:
                values["NEXT_PUBLIC_API_URL"] = environment.api_url
            shown = ", ".join(f"{name}={value}" for name, value in sorted(values.items()))
            one = len(own) == 1
            self.notes.append(
                f"{' and '.join(own)} {'is' if one else 'are'} built for {self.request.environment} alone, with "
                f"{shown or 'no values of other environments'}"
            )

    def _moving(self) -> str:
        environment = self.project.environment(self.request.environment)
        return environment.tag or self.request.environment

    def _suffix(self, names: Iterable[str]) -> str:
        """What tells this environment's images from those of others; nothing if their builds get the same values."""
        mine, *others = map(self.project.environment, (self.request.environment, *names))
        same = all((e.api_url, e.build_args) == (mine.api_url, mine.build_args) for e in others)
        return "" if same else f"-{self.request.environment}"

    @property
    def _production(self) -> bool:
        return self.project.is_production(self.request.environment)

    def _forbid(self, what: str, *, hint: str = "", production: bool = False) -> None:
        """A problem that --force turns into a note; some count in production alone."""
        if production and not self._production:
            self.notes.append(f"{what[0].upper()}{what[1:]}")
        elif self.request.force:
            self.notes.append(f"Forced: {what}")
        else:
            where = f"{self.request.environment} is a production environment, and " * production
            self.problems.append(f"{where}{what}{hint}; or pass --force")
