package dev.caisson.cli.build;

import dev.caisson.build.BuildCaches;
import dev.caisson.build.BuildNotes;
import dev.caisson.build.BuildRequest;
import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.image.Pulls;
import dev.caisson.cli.option.OptionList;
import dev.caisson.image.ImageReference;
import dev.caisson.image.Platform;
import dev.caisson.image.RegistryLogins;
import dev.caisson.spec.Network;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/// The options of a build, in Docker's words, and what is asked for by them.
final class BuildOptions {
    private @Nullable String file;
    private List<String> tags = List.of();
    private List<String> arguments = List.of();
    private @Nullable String target;
    private List<String> secrets = List.of();
    private List<String> agents = List.of();
    private boolean noCache;
    private List<String> uncached = List.of();
    private List<String> cacheFrom = List.of();
    private List<String> cacheTo = List.of();
    private boolean pull;
    private @Nullable String platform;
    private String progress = "auto";
    private List<String> labels = List.of();
    private String network = "none";
    private @Nullable String output;
    private @Nullable String idFile;
    private @Nullable String factsFile;
    private String provenance = "false";
    private List<String> attested = List.of();
    private List<String> annotations = List.of();
    private String packages = "false";
    private boolean quiet;
    private String context = "";

    /// Adds the options to a command.
    BuildOptions(CommandSpec command) {
        new OptionList(command)
                .text(
                        "-f, --file",
                        "FILE",
                        "Dockerfile, - for standard input (default: CONTEXT/Dockerfile).",
                        value -> file = value)
                .texts(
                        "-t, --tag",
                        "NAME[:TAG]",
                        "Name of the image; may be given several times.",
                        values -> tags = values)
                .texts(
                        "--build-arg",
                        "NAME[=VALUE]",
                        "Value of an ARG; without a value that of the caller's variable.",
                        values -> arguments = values)
                .text("--target", "STAGE", "Stage to build (default: the last one).", value -> target = value)
                .texts(
                        "--secret",
                        "id=ID,src=FILE",
                        "File that RUN --mount=type=secret,id=ID sees; env=VARIABLE in place of src.",
                        values -> secrets = values)
                .texts(
                        "--ssh",
                        "ID[=SOCKET]",
                        "SSH agent whose keys RUN --mount=type=ssh,id=ID may sign with (default socket: SSH_AUTH_SOCK).",
                        values -> agents = values)
                .flag("--no-cache", "Carry out every step again.", value -> noCache = value)
                .words(
                        "--no-cache-filter",
                        "STAGE,…",
                        "Carry out the steps of these stages again, and of those that begin with one of them.",
                        values -> uncached = values)
                .texts(
                        "--cache-from",
                        "NAME|type=registry,ref=NAME|type=local,src=DIRECTORY",
                        "Registry, image or directory to take results of steps from; may be given several times.",
                        values -> cacheFrom = values)
                .texts(
                        "--cache-to",
                        "type=registry,ref=NAME|type=local,dest=DIRECTORY|type=inline",
                        "Where results of steps go, too: those of the image, with mode=max those of all stages.",
                        values -> cacheTo = values)
                .flag("--pull", "Fetch the base images again.", value -> pull = value)
                .text(
                        "--platform",
                        "OS/ARCHITECTURE",
                        "Platform of the image (default: this machine's; RUN of another one needs an interpreter of binfmt_misc).",
                        value -> platform = value)
                .text(
                        "--progress",
                        "auto|plain|tty|quiet|rawjson",
                        "How progress is shown (default: auto, which is tty on a terminal); quiet as --quiet.",
                        value -> progress = value)
                .texts("--label", "KEY=VALUE", "Label of the image.", values -> labels = values)
                .text(
                        "--network",
                        "NETWORK",
                        "Network of each RUN (default: none, loopback alone).",
                        value -> network = value)
                .text(
                        "-o, --output",
                        "DIRECTORY|-|type=TYPE,dest=PATH",
                        "Where the files go, too: type local, tar, oci, docker, or image (the store alone).",
                        value -> output = value)
                .text("--iidfile", "FILE", "File that gets the image's id.", value -> idFile = value)
                .text(
                        "--metadata-file",
                        "FILE",
                        "File that gets digests and names of the image, as JSON.",
                        value -> factsFile = value)
                .flag("--load", "Changes nothing: the image is always in the store.", _ -> {})
                .flag(
                        "--rm, --force-rm, --compress",
                        "Change nothing: containers of steps are always removed, and the context is read where it lies.",
                        _ -> {})
                .text(
                        "--provenance",
                        "true|false|mode=min|mode=max",
                        "Statement in the image's index of how it was built (default: false; true is mode=min).",
                        value -> provenance = value)
                .texts(
                        "--attest",
                        "type=provenance[,mode=max]",
                        "As --provenance, with its type.",
                        values -> attested = values)
                .texts(
                        "--annotation",
                        "[manifest:|index:]KEY=VALUE",
                        "Annotation of the image's manifest or index; may be given several times.",
                        values -> annotations = values)
                .text(
                        "--sbom",
                        "false",
                        "Refused unless false: no list of packages is made in this version.",
                        value -> packages = value)
                .flag("-q, --quiet", "Print the image's id alone.", value -> quiet = value)
                .requiredOperand(
                        0,
                        "CONTEXT",
                        "Directory of the files to copy, or - for a Dockerfile or an archive of the files.",
                        value -> context = value);
    }

    /// The values of the options, read before anything is opened.
    ///
    /// @param output where the files of the image go beside the store
    record Wish(
            Platform platform,
            RegistryLogins logins,
            BuildCaches caches,
            BuildNotes notes,
            Map<String, Path> agents,
            Optional<OutputOption> output) {
        /// Returns whether the image is on no list unless it was named.
        boolean isHandedOut() {
            return output.filter(OutputOption::isHandedOut).isPresent();
        }

        /// Returns whether standard output has the files of the image.
        boolean isPrinted() {
            return output.filter(OutputOption::isPrinted).isPresent();
        }
    }

    /// @throws CommandException if one of them is malformed, or asks for what is not done
    Wish wish() {
        BuildProgress.require(progress);
        if (!packages.equals("false")) {
            throw CommandException.refused("--sbom", "no list of packages is made in this version: give --sbom=false");
        }
        RegistryLogins logins = Pulls.logins();
        return new Wish(
                platform == null ? Platform.running() : Platform.parse(platform),
                logins,
                CacheOptions.parse(cacheFrom, cacheTo, logins),
                NoteOptions.parse(provenance, attested, annotations),
                AgentOptions.parse(agents),
                Optional.ofNullable(output).map(OutputOption::parse));
    }

    /// Finds the Dockerfile and the files to copy.
    BuildSources sources() {
        return BuildSources.of(Caller.current(), context, file);
    }

    boolean isQuiet() {
        return quiet || progress.equals("quiet");
    }

    /// Returns how progress is shown.
    String progress() {
        return isQuiet() ? "quiet" : progress;
    }

    /// Returns the file that gets the image's id, as it was named.
    Optional<String> idFile() {
        return Optional.ofNullable(idFile);
    }

    /// Returns the file that gets what is known of the image, as it was named.
    Optional<String> factsFile() {
        return Optional.ofNullable(factsFile);
    }

    /// Returns the names that the image gets.
    List<ImageReference> names() {
        return tags.stream().map(ImageReference::parse).toList();
    }

    BuildRequest request(Wish wish, BuildSources sources) {
        List<ImageReference> names = names();
        Map<String, String> given = arguments();
        var request = new BuildRequest(
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
                wish.logins());
        return request.again(Set.copyOf(uncached))
                .listed(!wish.isHandedOut())
                .caches(wish.caches())
                .notes(wish.notes())
                .agents(wish.agents())
                .platform(wish.platform());
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
}
