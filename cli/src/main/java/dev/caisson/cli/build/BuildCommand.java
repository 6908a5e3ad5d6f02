package dev.caisson.cli.build;

import dev.caisson.build.BuildCaches;
import dev.caisson.build.BuildException;
import dev.caisson.build.BuildListener;
import dev.caisson.build.BuildNotes;
import dev.caisson.build.BuildRequest;
import dev.caisson.build.BuildResult;
import dev.caisson.build.Builder;
import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.image.Pulls;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Images;
import dev.caisson.image.ImageReference;
import dev.caisson.image.Platform;
import dev.caisson.image.RegistryLogins;
import dev.caisson.spec.Network;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson build`: builds an image from a Dockerfile.
@Command(
        name = "build",
        sortOptions = false,
        description = "Build an image from a Dockerfile.",
        footer = {
            "%nEach RUN has a container of its own with every default protection, no network unless --network names one,",
            "and no path of the host. Steps whose inputs are the same are taken from earlier builds.",
            "%n  caisson build -t web:1 .",
            "  caisson build -t web:1 --secret id=npm,src=$HOME/.npmrc --target release .",
            "  caisson build -t tiny:1 - <Dockerfile",
            "  caisson build --target release -o out .          # the files of the image, in ./out"
        })
public final class BuildCommand implements Callable<Integer> {
    private static final int INTERRUPTED = 130;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "Dockerfile, - for standard input (default: CONTEXT/Dockerfile).")
    private @Nullable String file;

    @Option(
            names = {"-t", "--tag"},
            paramLabel = "NAME[:TAG]",
            description = "Name of the image; may be given several times.")
    private List<String> tags = new ArrayList<>();

    @Option(
            names = "--build-arg",
            paramLabel = "NAME[=VALUE]",
            description = "Value of an ARG; without a value that of the caller's variable.")
    private List<String> arguments = new ArrayList<>();

    @Option(names = "--target", paramLabel = "STAGE", description = "Stage to build (default: the last one).")
    private @Nullable String target;

    @Option(
            names = "--secret",
            paramLabel = "id=ID,src=FILE",
            description = "File that RUN --mount=type=secret,id=ID sees; env=VARIABLE in place of src.")
    private List<String> secrets = new ArrayList<>();

    @Option(
            names = "--ssh",
            paramLabel = "ID[=SOCKET]",
            description =
                    "SSH agent whose keys RUN --mount=type=ssh,id=ID may sign with (default socket: SSH_AUTH_SOCK).")
    private List<String> agents = new ArrayList<>();

    @Option(names = "--no-cache", description = "Carry out every step again.")
    private boolean noCache;

    @Option(
            names = "--no-cache-filter",
            paramLabel = "STAGE,…",
            split = ",",
            description = "Carry out the steps of these stages again, and of those that begin with one of them.")
    private List<String> uncached = new ArrayList<>();

    @Option(
            names = "--cache-from",
            paramLabel = "NAME|type=registry,ref=NAME|type=local,src=DIRECTORY",
            description = "Registry, image or directory to take results of steps from; may be given several times.")
    private List<String> cacheFrom = new ArrayList<>();

    @Option(
            names = "--cache-to",
            paramLabel = "type=registry,ref=NAME|type=local,dest=DIRECTORY|type=inline",
            description = "Where results of steps go, too: those of the image, with mode=max those of all stages.")
    private List<String> cacheTo = new ArrayList<>();

    @Option(names = "--pull", description = "Fetch the base images again.")
    private boolean pull;

    @Option(
            names = "--platform",
            paramLabel = "OS/ARCHITECTURE",
            description =
                    "Platform of the image (default: this machine's; RUN of another one needs an interpreter of binfmt_misc).")
    private @Nullable String platform;

    @Option(
            names = "--progress",
            paramLabel = "auto|plain|tty|quiet|rawjson",
            description = "How progress is shown (default: auto, which is tty on a terminal); quiet as --quiet.")
    private String progress = "auto";

    @Option(names = "--label", paramLabel = "KEY=VALUE", description = "Label of the image.")
    private List<String> labels = new ArrayList<>();

    @Option(
            names = "--network",
            paramLabel = "NETWORK",
            description = "Network of each RUN (default: none, loopback alone).")
    private String network = "none";

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIRECTORY|-|type=TYPE,dest=PATH",
            description = "Where the files go, too: type local, tar, oci, docker, or image (the store alone).")
    private @Nullable String output;

    @Option(names = "--iidfile", paramLabel = "FILE", description = "File that gets the image's id.")
    private @Nullable String idFile;

    @Option(
            names = "--metadata-file",
            paramLabel = "FILE",
            description = "File that gets digests and names of the image, as JSON.")
    private @Nullable String factsFile;

    @Option(names = "--load", description = "Changes nothing: the image is always in the store.")
    @SuppressWarnings("unused") // taken as Docker takes it
    private boolean loaded;

    @Option(
            names = {"--rm", "--force-rm", "--compress"},
            description =
                    "Change nothing: containers of steps are always removed, and the context is read where it lies.")
    @SuppressWarnings("unused") // taken as Docker takes them
    private boolean asAlways;

    @Option(
            names = "--provenance",
            paramLabel = "true|false|mode=min|mode=max",
            description = "Statement in the image's index of how it was built (default: false; true is mode=min).")
    private String provenance = "false";

    @Option(
            names = "--attest",
            paramLabel = "type=provenance[,mode=max]",
            description = "As --provenance, with its type.")
    private List<String> attested = new ArrayList<>();

    @Option(
            names = "--annotation",
            paramLabel = "[manifest:|index:]KEY=VALUE",
            description = "Annotation of the image's manifest or index; may be given several times.")
    private List<String> annotations = new ArrayList<>();

    @Option(
            names = "--sbom",
            paramLabel = "false",
            description = "Refused unless false: no list of packages is made in this version.")
    private String packages = "false";

    @Option(
            names = {"-q", "--quiet"},
            description = "Print the image's id alone.")
    private boolean quiet;

    @Parameters(
            paramLabel = "CONTEXT",
            description = "Directory of the files to copy, or - for a Dockerfile or an archive of the files.")
    private String context = "";

    @Override
    public Integer call() {
        Platform target = platform == null ? Platform.running() : Platform.parse(platform);
        BuildProgress.require(progress);
        if (!packages.equals("false")) {
            throw CommandException.refused("--sbom", "no list of packages is made in this version: give --sbom=false");
        }
        RegistryLogins logins = Pulls.logins();
        BuildCaches caches = CacheOptions.parse(cacheFrom, cacheTo, logins);
        BuildNotes notes = NoteOptions.parse(provenance, attested, annotations);

        quiet |= progress.equals("quiet");
        PrintWriter err = spec.commandLine().getErr();
        Optional<OutputOption> wanted = Optional.ofNullable(output).map(OutputOption::parse);
        BuildListener shown = BuildProgress.of(
                quiet ? "quiet" : progress, err, Caller.current().colours().error());
        Thread building = Thread.currentThread();
        Caller.current().onEnd(building::interrupt);
        EngineOptions options = Caller.current().directories();
        try (var sources = BuildSources.of(Caller.current(), context, file);
                var lease = Caller.current().engine();
                Images images = Images.open(options)) {
            boolean handedOut = wanted.filter(OutputOption::isHandedOut).isPresent();
            BuildRequest request = request(sources, logins)
                    .again(Set.copyOf(uncached))
                    .listed(!handedOut)
                    .caches(caches)
                    .notes(notes)
                    .agents(AgentOptions.parse(agents))
                    .platform(target);
            BuildResult result = new Builder(lease.engine(), images, options).build(request, shown);
            if (wanted.isPresent()) {
                wanted.get().write(result, images, request.latest());
            }
            tell(result, err, handedOut, wanted.filter(OutputOption::isPrinted).isPresent());
            return 0;
        } catch (InterruptedException e) {
            err.println("caisson: the build was interrupted; what was done stays in the cache");
            return INTERRUPTED;
        } catch (BuildException e) {
            e.place().ifPresent(place -> err.print(Excerpt.of(place)));
            throw e;
        }
    }

    private List<ImageReference> names() {
        return tags.stream().map(ImageReference::parse).toList();
    }

    private BuildRequest request(BuildSources sources, RegistryLogins logins) {
        List<ImageReference> names = names();
        Map<String, String> given = arguments();
        return new BuildRequest(
                sources.dockerfile(),
                sources.context(),
                sources.ignore(),
                names,
                given,
                Optional.ofNullable(target).filter(name -> !name.isEmpty()),
                pairs("--label", labels),
                SecretOptions.parse(secrets),
                network.equals("none") ? Network.none() : Network.on(network),
                !noCache,
                pull,
                latest(given),
                logins);
    }

    private Map<String, String> arguments() {
        var given = new LinkedHashMap<String, String>();
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            String name = equals < 0 ? argument : argument.substring(0, equals);
            if (name.isEmpty()) {
                throw CommandException.usage("--build-arg is NAME=VALUE, or NAME for the caller's variable");
            }
            if (equals >= 0) {
                given.put(name, argument.substring(equals + 1));
            } else {
                Caller.current().variable(name).ifPresent(value -> given.put(name, value));
            }
        }
        return given;
    }

    private static Map<String, String> pairs(String option, List<String> texts) {
        var pairs = new LinkedHashMap<String, String>();
        for (String text : texts) {
            int equals = text.indexOf('=');
            String key = equals < 0 ? text : text.substring(0, equals);
            if (key.isEmpty()) {
                throw CommandException.usage(option + " is KEY=VALUE");
            }
            pairs.put(key, equals < 0 ? "" : text.substring(equals + 1));
        }
        return pairs;
    }

    /// Returns SOURCE_DATE_EPOCH, of the arguments or of the caller (reproducible-builds.org).
    private static Optional<Instant> latest(Map<String, String> given) {
        Optional<String> text = Optional.ofNullable(given.get("SOURCE_DATE_EPOCH"))
                .or(() -> Caller.current().variable("SOURCE_DATE_EPOCH"))
                .filter(value -> !value.isEmpty());
        return text.map(value -> {
            if (!value.matches("\\d{1,11}")) {
                throw CommandException.usage("SOURCE_DATE_EPOCH is a number of seconds since 1970");
            }
            return Instant.ofEpochSecond(Long.parseLong(value));
        });
    }

    /// @param handedOut whether it is on no list unless it was named
    /// @param printed whether standard output has the files of the image
    private void tell(BuildResult result, PrintWriter err, boolean handedOut, boolean printed) {
        if (idFile != null) {
            BuildFacts.writeId(Caller.current().path(idFile), idFile, result);
        }
        if (factsFile != null) {
            BuildFacts.writeFacts(Caller.current().path(factsFile), factsFile, result, names());
        }
        if (quiet) {
            if (!printed) {
                spec.commandLine().getOut().println(result.id());
            }
            return;
        }
        err.println("built " + result.id());
        if (tags.isEmpty() && !handedOut) {
            err.println("named " + result.image().name());
        }
        for (String tag : tags) {
            err.println("named " + ImageReference.parse(tag));
        }
        err.flush();
    }
}
