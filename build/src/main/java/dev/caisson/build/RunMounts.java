package dev.caisson.build;

import dev.caisson.build.Operation.Copy;
import dev.caisson.build.Operation.Run;
import dev.caisson.build.Operation.Script;
import dev.caisson.build.Operation.Source;
import dev.caisson.containerfile.Place;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Workspaces;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.WorkspaceName;
import dev.caisson.spec.WorkspaceSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.function.Supplier;

/// Prepares what a `RUN` sees beside its image. Secrets lie in memory for as long as the program runs,
/// and stand in no key, layer, history or log.
final class RunMounts {
    private static final Bytes MEMORY = Bytes.mebibytes(64);
    private static final int OPEN_TO_ALL = 01777;
    private static final int PROGRAM = 0555;
    private static final int LARGEST_SECRET = 500 << 10;
    private static final int CACHE_NAME = 24;
    private static final String AGENT_VARIABLE = "SSH_AUTH_SOCK";

    private final Workplace workplace;
    private final Trees trees;
    private final Map<String, SecretSource> secrets;
    private final Map<String, Path> agents;
    private final EngineOptions options;

    RunMounts(Workplace workplace, Trees trees, BuildRequest request, EngineOptions options) {
        this.workplace = workplace;
        this.trees = trees;
        this.secrets = request.secrets();
        this.agents = request.agents();
        this.options = options;
    }

    /// Looks at what a `RUN` asks for, and makes none of it yet.
    Prepared prepare(Run run, Place place) {
        var prepared = new Prepared(run, place);
        for (RunMount mount : run.mounts()) {
            if (mount instanceof RunMount.Bind bind) {
                prepared.binds.add(new Bound(bind, selection(bind, place)));
            }
        }
        return prepared;
    }

    private Selection selection(RunMount.Bind bind, Place place) {
        Copy copy = new Copy(
                bind.origin(),
                List.of(new Source.Pattern(bind.source(), place)),
                bind.target(),
                "",
                Optional.empty(),
                List.of(),
                false,
                Operation.Unpacking.NONE,
                Optional.empty(),
                false);
        return Selection.of(trees.of(bind.origin()), copy);
    }

    private record Bound(RunMount.Bind bind, Selection selection) {}

    /// The mounts of one `RUN`.
    final class Prepared implements AutoCloseable {
        private final Run run;
        private final Place place;
        private final List<Bound> binds = new ArrayList<>();
        private final List<Mount> mounts = new ArrayList<>();
        private final List<Path> secretFiles = new ArrayList<>();
        private final List<CacheLock> locks = new ArrayList<>();
        private final Map<String, byte[]> values = new LinkedHashMap<>();
        private final List<AgentRelay> relays = new ArrayList<>();
        private Optional<String> agentAt = Optional.empty();
        private Optional<FileTree> image = Optional.empty();

        private Prepared(Run run, Place place) {
            this.run = run;
            this.place = place;
        }

        /// Adds what decides about the result. The content of secrets and caches does not, as with Docker.
        void hash(ContentHash hash) {
            for (RunMount mount : run.mounts()) {
                hash.add(mount.getClass().getSimpleName()).add(mount.target());
                switch (mount) {
                    case RunMount.Cache cache -> hash.add(cache.id());
                    case RunMount.Secret secret -> hash.add(secret.id());
                    case RunMount.Agent agent -> hash.add(agent.id());
                    case RunMount.Tmpfs _, RunMount.Bind _ -> {}
                }
            }
            binds.forEach(bound ->
                    bound.selection().hash(hash, !(bound.bind().origin() instanceof Operation.Origin.Context)));
        }

        /// Makes all of it.
        /// @param below the files of the image that the program runs in
        /// @throws BuildException BUILD_LINKS, BUILD_SECRET, BUILD_SSH, BUILD_STORAGE
        void make(Supplier<FileTree> below) throws InterruptedException {
            if (!run.mounts().isEmpty() || run.script().isPresent()) {
                image = Optional.of(below.get());
            }
            try {
                lockCaches();
                for (Bound bound : binds) {
                    mounts.add(bind(bound));
                }
                for (RunMount mount : run.mounts()) {
                    switch (mount) {
                        case RunMount.Tmpfs tmpfs -> mounts.add(memory(tmpfs));
                        case RunMount.Secret secret -> secret(secret);
                        case RunMount.Agent agent -> lend(agent);
                        case RunMount.Cache cache -> cache(cache);
                        case RunMount.Bind _ -> {}
                    }
                }
                if (run.script().isPresent()) {
                    script(run.script().get());
                }
            } catch (IOException e) {
                throw Workplace.failed(e);
            }
        }

        /// Returns the output of the program without the secrets that were made.
        RunOutput output(RunOutput.Taker output) {
            return new RunOutput(values, output);
        }

        /// Adds it to a container.
        ContainerSpec addTo(ContainerSpec spec) {
            ContainerSpec with = spec;
            for (Mount mount : mounts) {
                with = with.mount(mount);
            }
            if (agentAt.isPresent() && !run.environment().containsKey(AGENT_VARIABLE)) {
                with = with.environment(AGENT_VARIABLE, agentAt.get());
            }
            // the sources are the build's own files, which are nobody else's
            return mounts.stream().anyMatch(Mount.Bind.class::isInstance) ? with.allow(Allowance.HOST_PATHS) : with;
        }

        /// Follows links of the image, as the program itself would. What is made there for a mount is known by that
        /// path and is no part of the layer.
        private InRootPath inside(String target) {
            return InRootPath.of(
                    image.map(files -> files.resolve(target).path()).orElse(target.substring(1)));
        }

        private Mount memory(RunMount.Tmpfs tmpfs) {
            Bytes size = tmpfs.size().map(Bytes::parse).orElse(MEMORY); // the container pays for it
            return new Mount.Tmpfs(inside(tmpfs.target()), size, OPEN_TO_ALL, false, true);
        }

        private Mount bind(Bound bound) {
            Path path = workplace.fresh();
            Selection.Top top = bound.selection().tops().getFirst();
            FileTree tree = trees.of(bound.bind().origin());
            Staging.copy(tree, top, path);
            return new Mount.Bind(path, inside(bound.bind().target()), true, !top.directory());
        }

        private void secret(RunMount.Secret secret) throws IOException {
            SecretSource source = secrets.get(secret.id());
            if (source == null) {
                if (secret.required()) {
                    throw new BuildException(
                            "BUILD_SECRET",
                            place,
                            "secret " + secret.id() + " is required and was not given: add --secret id=" + secret.id()
                                    + ",src=FILE");
                }
                return;
            }
            Path file = workplace.freshSecret();
            secretFiles.add(file);
            byte[] value = read(secret, source);
            values.put(secret.id(), value);
            own(file, value, secret.mode(), secret.uid(), secret.gid());
            mounts.add(new Mount.Bind(file, inside(secret.target()), true, true));
        }

        private void lend(RunMount.Agent wanted) {
            Path agent = agents.get(wanted.id());
            if (agent == null) {
                if (wanted.required()) {
                    throw new BuildException(
                            "BUILD_SSH",
                            place,
                            "the agent " + wanted.id() + " is required and was not given: add --ssh " + wanted.id());
                }
                return;
            }
            try {
                Path directory = workplace.fresh();
                workplace.directory(directory).close();
                AgentRelay relay = AgentRelay.open(agent, directory, wanted.mode(), wanted.uid(), wanted.gid());
                relays.add(relay);
                mounts.add(new Mount.Bind(relay.socket(), inside(wanted.target()), true, true));
                agentAt = agentAt.or(() -> Optional.of(wanted.target()));
            } catch (IOException e) {
                throw new BuildException(
                        "BUILD_SSH",
                        place,
                        "the agent " + wanted.id() + " does not answer (" + e.getMessage()
                                + "): start ssh-agent, and name its socket by --ssh",
                        e);
            }
        }

        private byte[] read(RunMount.Secret secret, SecretSource source) {
            return switch (source) {
                case SecretSource.Content content -> content.bytes();
                case SecretSource.File file -> read(secret, file);
            };
        }

        private byte[] read(RunMount.Secret secret, SecretSource.File source) {
            int flags = FileSystem.O_RDONLY | FileSystem.O_NONBLOCK;
            try (Fd file = FileSystem.open(source.path().toString(), flags)) {
                if (!FileSystem.status(file).isRegularFile()) {
                    throw unreadable(secret, source, "it is no file");
                }
                if (FileSystem.status(file).size() > LARGEST_SECRET) {
                    throw unreadable(secret, source, "it is too large");
                }
                return FileSystem.read(file, LARGEST_SECRET);
            } catch (ErrnoException e) {
                throw unreadable(secret, source, Errno.name(e.errno()));
            }
        }

        private BuildException unreadable(RunMount.Secret secret, SecretSource.File source, String why) {
            return new BuildException(
                    "BUILD_SECRET",
                    place,
                    "secret " + secret.id() + " cannot be read from " + source.shown() + " (" + why
                            + "): name a file of at most " + LARGEST_SECRET / 1024 + " KiB");
        }

        private void script(Script script) throws IOException {
            Path file = workplace.fresh();
            own(file, script.content().getBytes(StandardCharsets.UTF_8), PROGRAM, 0, 0);
            mounts.add(new Mount.Bind(file, inside(script.target()), true, true));
        }

        /// Writes a file of the build's own, which nobody can open before it has its mode.
        private static void own(Path path, byte[] content, int mode, int uid, int gid) throws IOException {
            int flags = FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_EXCL;
            Path directory = path.getParent();
            try (Fd above = FileSystem.open(String.valueOf(directory), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
                    Fd file = FileSystem.openAt(
                            above, String.valueOf(path.getFileName()), flags, 0, FileSystem.RESOLVE_BENEATH)) {
                FileSystem.write(file, content);
                FileSystem.changeOwner(file, uid, gid);
                FileSystem.changeMode(file, mode);
            } catch (ErrnoException e) {
                throw Workplace.failed(e);
            }
        }

        private static String hex(RunMount.Cache cache) {
            return new ContentHash().add(cache.id()).hex().substring(0, CACHE_NAME);
        }

        /// Takes locks in one order, so that no two steps wait for each other.
        private void lockCaches() throws InterruptedException {
            var wanted = new TreeSet<String>();
            for (RunMount mount : run.mounts()) {
                if (mount instanceof RunMount.Cache cache && cache.sharing() != RunMount.Cache.Sharing.SHARED) {
                    wanted.add(hex(cache));
                }
            }
            for (String hex : wanted) {
                locks.add(CacheLock.take(options.data(), hex));
            }
        }

        private void cache(RunMount.Cache cache) {
            var name = new WorkspaceName("build-cache-" + hex(cache));
            CacheLock.makeOnce(Workspaces.of(options), new WorkspaceSpec(name, room(), OptionalLong.empty()));
            mounts.add(new Mount.Workspace(name, inside(cache.target()), cache.readOnly()));
        }

        /// A quarter of what the disk has left, at most.
        private Bytes room() {
            try {
                long free = Files.getFileStore(options.data()).getUsableSpace();
                return Bytes.of(Math.clamp(free / 4, WorkspaceSpec.LEAST_SIZE.count(), 8L << 30));
            } catch (IOException e) {
                throw Workplace.failed(e);
            }
        }

        @Override
        public void close() {
            locks.forEach(CacheLock::close);
            values.values().forEach(value -> Arrays.fill(value, (byte) 0));
            for (AgentRelay relay : relays) {
                try {
                    relay.close();
                } catch (IOException e) {
                    throw Workplace.failed(e);
                }
            }
            for (Path file : secretFiles) {
                try {
                    Files.deleteIfExists(file);
                } catch (IOException e) {
                    throw Workplace.failed(e);
                }
            }
        }
    }
}
