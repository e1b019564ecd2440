"""The public functions: names, arguments and words; what they do is in `commands`."""

from typing import Annotated

import dagger
from dagger import Doc, check, function, object_type

from .failures import reported
from .given import Given
from .release import Release

_Env = Annotated[str, Doc("The environment, as named in slipway.toml")]
_ApiUrl = Annotated[
    str | None, Doc("NEXT_PUBLIC_API_URL for this call, instead of the environment's api_url")
]
_Force = Annotated[
    bool, Doc("To production although the tree is dirty or the commit has no Git tag")
]
_Again = Annotated[
    bool,
    Doc(
        "Although the release serves already; and to production although the tree is dirty or the commit has no "
        "Git tag"
    ),
]


@object_type
class Slipway:
    """Takes a pnpm monorepo (Next.js, NestJS, Prisma) from a working tree to runtime images."""

    ws: Annotated[dagger.Workspace, Doc("The repo you stand in; the engine passes it")]
    config: Annotated[str, Doc("The config file, looked up from where you stand")] = "slipway.toml"
    npmrc: Annotated[
        dagger.Secret | None, Doc("Your ~/.npmrc, for private packages; mounted while installing")
    ] = None
    next_key: Annotated[
        dagger.Secret | None,
        Doc(
            "What Next encrypts its server actions with, in Base64; without it each build makes one"
        ),
    ] = None
    revision: Annotated[str | None, Doc("The git commit for the images' labels; default: HEAD")] = (
        None
    )
    version: Annotated[
        str | None, Doc("The release's version; default: HEAD's tag, else package.json's")
    ] = None
    source: Annotated[
        str | None,
        Doc("The repository's address, for the labels and for whose a site is; default: origin"),
    ] = None
    registry: Annotated[
        str | None, Doc("The address that images are pushed below, such as registry.test/team/app")
    ] = None
    registry_user: Annotated[str | None, Doc("Who logs in to the registry")] = None
    registry_password: Annotated[
        dagger.Secret | None, Doc("The password or token of the registry's user")
    ] = None
    pull_user: Annotated[
        str | None, Doc("Who logs in to the registry from a server, where that is another user")
    ] = None
    pull_password: Annotated[
        dagger.Secret | None, Doc("The password or token of that user, which may only read")
    ] = None
    ssh_key: Annotated[dagger.Secret | None, Doc("The private key that the server lets in")] = None
    api_env: Annotated[
        dagger.Secret | None,
        Doc("NAME=value lines for the apps that are no front end, DATABASE_URL among them"),
    ] = None
    db_env: Annotated[
        dagger.Secret | None, Doc("POSTGRES_… lines, where they say more than DATABASE_URL")
    ] = None
    actor: Annotated[str | None, Doc("Who deploys, for the lock and the audit log")] = None
    job: Annotated[str | None, Doc("The job's address, for the lock and the audit log")] = None

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def build(self, env: _Env = "staging", api_url: _ApiUrl = None) -> str:
        """Build every image, and report names, digests, sizes, and what was built or reused."""
        from .commands.build import build

        with reported():
            return await build(self._given(), env, api_url)

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def publish(self, env: _Env = "staging", force: _Force = False) -> str:
        """Build and push what the registry lacks of the commit, then move the environment's tag."""
        from .commands.publish import publish

        with reported():
            return await publish(self._given(), env, force=force)

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def deploy(self, env: _Env = "staging", force: _Again = False) -> str:
        """Verify, build, publish, migrate and cut over to the release, without a failed request."""
        from .commands.deploy import deploy

        with reported():
            return await deploy(self._given(), env, force=force)

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def plan(self, env: _Env = "staging", force: _Force = False) -> str:
        """Show what `deploy` would do on the server, step by step; nothing is pushed or changed."""
        from .commands.deploy import plan

        with reported():
            return await plan(self._given(), env, force=force)

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def rollback(
        self,
        env: _Env = "staging",
        to: Annotated[
            str | None, Doc("A release's name or number on the server; default: the one before")
        ] = None,
        force: Annotated[
            bool, Doc("Although the database had migrations that the older release does not know")
        ] = False,
    ) -> str:
        """Bring back a release that was on the server before: by digest, with its own settings."""
        from .commands.rollback import rollback

        with reported():
            return await rollback(self._given(), env, to, force=force)

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def status(self, env: _Env = "staging") -> str:
        """Show what serves, what is healthy, what is left of the disk, who deploys, what happened."""
        from .commands.watch import status

        with reported():
            return await status(self._given(), env)

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def doctor(self, env: _Env = "staging") -> str:
        """Check secrets and server as a deploy does before it begins; nothing is changed."""
        from .commands.watch import doctor

        with reported():
            return await doctor(self._given(), env)

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def logs(
        self,
        app: Annotated[str, Doc("The app, or `database`")],
        env: _Env = "staging",
        since: Annotated[str, Doc("How far back, such as 10m, 2h or 2026-01-05T12:00:00")] = "10m",
        lines: Annotated[int, Doc("At most so many lines")] = 200,
        follow: Annotated[bool, Doc("Go on showing lines until you stop it")] = False,
    ) -> str:
        """Show what an app of an environment printed."""
        from .commands.watch import logs
        from .server.logs import Wanted

        with reported():
            return await logs(self._given(), env, Wanted(app, since, lines, follow))

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def unlock(self, env: _Env = "staging") -> str:
        """Free the lock of an environment whose deploy has ended, if it did not free itself."""
        from .commands.watch import unlock

        with reported():
            return await unlock(self._given(), env)

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def setup(  # noqa: PLR0917 - who calls a function names its arguments
        self,
        env: _Env = "staging",
        admin: Annotated[str, Doc("Who sets it up: root, or one who has sudo")] = "root",
        admin_key: Annotated[
            dagger.Secret | None, Doc("The private key for that; default: the deploys' ssh_key")
        ] = None,
        certificate: Annotated[
            dagger.File | None, Doc("The proxy's certificate and those above it, PEM")
        ] = None,
        certificate_key: Annotated[dagger.Secret | None, Doc("Its private key, PEM")] = None,
        dry_run: Annotated[bool, Doc("Only show what would be changed")] = False,
    ) -> str:
        """Prepare a bare Debian 13: Docker, user, network, proxy, firewall, security upgrades."""
        from .commands.setup import setup
        from .setup.inputs import Inputs

        with reported():
            inputs = Inputs(admin, admin_key, certificate, certificate_key)
            return await setup(self._given(), env, inputs, dry_run=dry_run)

    @function(cache="session")  # type: ignore[call-overload, untyped-decorator]
    async def release(self, env: _Env = "staging", api_url: _ApiUrl = None) -> Release:
        """Make the images as an object to chain: `… release api export --path api.tar`."""
        from .commands.release import release

        with reported():
            return await release(self._given(), env, api_url)

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def reproduce(self, env: _Env = "staging") -> str:
        """Build a published release again from its commit, and tell what comes out otherwise."""
        from .commands.reproduce import reproduce

        with reported():
            return await reproduce(self._given(), env)

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def verify(self) -> str:
        """Lint, check types and test every app and shared package; a failing step stops no other."""
        from .commands.verify import verify

        with reported():
            return await verify(self._given())

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def reports(self) -> dagger.Directory:
        """What `verify` found, as files to export: junit.xml, verify.json and report.txt."""
        from .commands.reports import reports

        with reported():
            return await reports(self._given())

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    @check
    async def verify_frontend(self) -> None:
        """Verify the front ends, and the shared packages that they use."""
        from .commands.verify import verify_frontends

        with reported():
            await verify_frontends(self._given())

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    @check
    async def verify_api(self) -> None:
        """Verify the other apps, and the shared packages that they use."""
        from .commands.verify import verify_others

        with reported():
            await verify_others(self._given())

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def init(
        self,
        slipway: Annotated[
            str, Doc("Slipway's project on your GitLab, which .gitlab-ci.yml includes")
        ] = "platform/slipway",
        ref: Annotated[str, Doc("The tag, branch or commit of it to use")] = "main",
    ) -> dagger.Changeset:
        """Add commented slipway.toml, .env and .gitlab-ci.yml for this repo, as changes to look at."""
        from .init import changes

        with reported():
            return await changes(self.ws, slipway, ref)

    def _given(self) -> Given:
        return Given(
            ws=self.ws,
            config=self.config,
            npmrc=self.npmrc,
            next_key=self.next_key,
            revision=self.revision,
            version=self.version,
            source=self.source,
            registry=self.registry,
            registry_user=self.registry_user,
            registry_password=self.registry_password,
            pull_user=self.pull_user,
            pull_password=self.pull_password,
            ssh_key=self.ssh_key,
            api_env=self.api_env,
            db_env=self.db_env,
            actor=self.actor,
            job=self.job,
        )
