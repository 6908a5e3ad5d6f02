package dev.caisson.spec;

import static dev.caisson.spec.JsonForm.alone;
import static dev.caisson.spec.JsonForm.field;
import static dev.caisson.spec.JsonForm.kind;
import static dev.caisson.spec.JsonForm.ofKind;
import static dev.caisson.spec.JsonValues.bytes;
import static dev.caisson.spec.JsonValues.constant;
import static dev.caisson.spec.JsonValues.constants;
import static dev.caisson.spec.JsonValues.list;
import static dev.caisson.spec.JsonValues.names;
import static dev.caisson.spec.JsonValues.number;
import static dev.caisson.spec.JsonValues.pairs;
import static dev.caisson.spec.JsonValues.path;
import static dev.caisson.spec.JsonValues.small;
import static dev.caisson.spec.JsonValues.text;
import static dev.caisson.spec.JsonValues.truth;

import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.SnapshotName;
import dev.caisson.secret.SecretName;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What a specification consists of, as a written one has it.
final class PartsJson {
    private static final Path NO_PATH = Path.of("/");
    private static final InRootPath ROOT = InRootPath.of("");
    private static final SecretFile NO_SECRET = new SecretFile(
            new SecretName("unnamed"),
            new SecretName("unnamed"),
            OptionalInt.empty(),
            OptionalInt.empty(),
            0,
            Optional.empty(),
            new OnSecretChange.Nothing());
    private static final WorkspaceName UNNAMED = new WorkspaceName("unnamed");

    static final JsonForm<Image.Directory> DIRECTORY = new JsonForm<>(
            "an image", field("path", it -> path(it.path()), (_, json) -> new Image.Directory(path(json))));

    private static final ImageReference NO_NAME = ImageReference.parse("none");
    static final JsonForm<Image.Named> NAMED = new JsonForm<>(
            "an image of the store",
            field(
                    "reference",
                    it -> it.reference().toString(),
                    (it, json) -> new Image.Named(ImageReference.parse(text(json)))));
    private static final Image.Snapshot NO_SNAPSHOT = new Image.Snapshot(new SnapshotName("none"));
    static final JsonForm<Image.Snapshot> SNAPSHOT = new JsonForm<>(
            "a snapshot",
            field("name", it -> it.name().value(), (_, json) -> new Image.Snapshot(new SnapshotName(text(json)))));
    static final JsonForm<Image.OciLayout> OCI_LAYOUT = new JsonForm<>(
            "an image",
            field("path", it -> path(it.path()), (it, json) -> new Image.OciLayout(path(json), it.reference())),
            field(
                    "reference",
                    it -> text(it.reference()),
                    (it, json) -> new Image.OciLayout(it.path(), Optional.of(text(json)))));

    static final JsonForm<Image.DockerArchive> DOCKER_ARCHIVE = new JsonForm<>(
            "an image",
            field("file", it -> path(it.file()), (it, json) -> new Image.DockerArchive(path(json), it.reference())),
            field(
                    "reference",
                    it -> text(it.reference()),
                    (it, json) -> new Image.DockerArchive(it.file(), Optional.of(text(json)))));

    static final JsonForm<Placement.Parent> PARENT = new JsonForm<>(
            "a placement", field("path", it -> text(it.path()), (_, json) -> new Placement.Parent(text(json))));

    static final JsonForm<Placement.Tenant> TENANT = new JsonForm<>(
            "a placement",
            field("name", it -> text(it.name()), (it, json) -> new Placement.Tenant(text(json), it.ceiling())),
            field(
                    "ceiling",
                    it -> it.ceiling().map(LimitsJson.LIMITS::write).orElse(null),
                    (it, json) -> new Placement.Tenant(
                            it.name(), Optional.of(LimitsJson.LIMITS.read(Limits.defaults(), json)))));

    static final JsonForm<WritableLayer> LAYER = new JsonForm<>(
            "a writable layer",
            field("size", it -> bytes(it.size()), (it, json) -> it.size(bytes(json))),
            field(
                    "inodes",
                    it -> it.inodes().isPresent() ? it.inodes().getAsLong() : null,
                    (it, json) -> new WritableLayer(it.size(), OptionalLong.of(number(json)), it.place())),
            field("place", it -> it.place().name(), (it, json) -> it.place(constant(WritableLayer.Place.class, json))));

    static final JsonForm<Mount.Bind> BIND = new JsonForm<>(
            "a mount",
            field(
                    "source",
                    it -> path(it.source()),
                    (it, json) -> new Mount.Bind(path(json), it.target(), it.readOnly(), it.file())),
            field(
                    "target",
                    it -> text(it.target().relative()),
                    (it, json) -> new Mount.Bind(it.source(), inRoot(json), it.readOnly(), it.file())),
            field(
                    "readOnly",
                    Mount.Bind::readOnly,
                    (it, json) -> new Mount.Bind(it.source(), it.target(), truth(json), it.file())),
            field(
                    "file",
                    Mount.Bind::file,
                    (it, json) -> new Mount.Bind(it.source(), it.target(), it.readOnly(), truth(json))));

    static final JsonForm<Mount.Tmpfs> TMPFS = new JsonForm<>(
            "a mount",
            field(
                    "target",
                    it -> text(it.target().relative()),
                    (it, json) -> new Mount.Tmpfs(inRoot(json), it.size(), it.mode(), it.readOnly(), it.executable())),
            field(
                    "size",
                    it -> it.size().count(),
                    (it, json) -> new Mount.Tmpfs(it.target(), bytes(json), it.mode(), it.readOnly(), it.executable())),
            field(
                    "mode",
                    Mount.Tmpfs::mode,
                    (it, json) -> new Mount.Tmpfs(it.target(), it.size(), small(json), it.readOnly(), it.executable())),
            field(
                    "readOnly",
                    Mount.Tmpfs::readOnly,
                    (it, json) -> new Mount.Tmpfs(it.target(), it.size(), it.mode(), truth(json), it.executable())),
            field(
                    "executable",
                    Mount.Tmpfs::executable,
                    (it, json) -> new Mount.Tmpfs(it.target(), it.size(), it.mode(), it.readOnly(), truth(json))));

    static final JsonForm<Mount.Workspace> WORKSPACE = new JsonForm<>(
            "a mount",
            field(
                    "name",
                    it -> it.name().value(),
                    (it, json) -> new Mount.Workspace(new WorkspaceName(text(json)), it.target(), it.readOnly())),
            field(
                    "target",
                    it -> text(it.target().relative()),
                    (it, json) -> new Mount.Workspace(it.name(), inRoot(json), it.readOnly())),
            field(
                    "readOnly",
                    Mount.Workspace::readOnly,
                    (it, json) -> new Mount.Workspace(it.name(), it.target(), truth(json))));

    static final JsonForm<Mount.Volume> VOLUME = new JsonForm<>(
            "a mount",
            field(
                    "name",
                    it -> it.name().map(VolumeName::value).orElse(""),
                    (it, json) -> new Mount.Volume(
                            volume(text(json)), it.target(), it.readOnly(), it.copy(), it.subpath(), it.made())),
            field(
                    "target",
                    it -> text(it.target().relative()),
                    (it, json) -> new Mount.Volume(
                            it.name(), inRoot(json), it.readOnly(), it.copy(), it.subpath(), it.made())),
            field("readOnly", Mount.Volume::readOnly, (it, json) -> it.readOnly(truth(json))),
            field("copy", Mount.Volume::copy, (it, json) -> it.copy(truth(json))),
            field("subpath", it -> subpath(it.subpath()), (it, json) -> it.subpath(inRoot(json))),
            field(
                    "size",
                    it -> it.made().size().map(Bytes::count).orElse(null),
                    (it, json) -> it.made(it.made().size(bytes(json)))),
            field(
                    "inodes",
                    it -> it.made().inodes().isPresent() ? it.made().inodes().getAsLong() : null,
                    (it, json) -> it.made(it.made().inodes(number(json)))),
            field(
                    "labels",
                    it -> it.made().labels().isEmpty() ? null : pairs(it.made().labels()),
                    (it, json) -> it.made(pairs(it.made(), json, VolumeSpec::label))));

    static final JsonForm<Mount.ImageFiles> IMAGE_FILES = new JsonForm<>(
            "a mount",
            field(
                    "image",
                    it -> it.image().toString(),
                    (it, json) -> new Mount.ImageFiles(ImageReference.parse(text(json)), it.target(), it.subpath())),
            field(
                    "target",
                    it -> text(it.target().relative()),
                    (it, json) -> new Mount.ImageFiles(it.image(), inRoot(json), it.subpath())),
            field(
                    "subpath",
                    it -> subpath(it.subpath()),
                    (it, json) -> new Mount.ImageFiles(it.image(), it.target(), Optional.of(inRoot(json)))));

    private static @Nullable Object subpath(Optional<InRootPath> path) {
        return path.<Object>map(it -> text(it.relative())).orElse(null);
    }

    static final JsonForm<SecretFile> SECRET = new JsonForm<>(
            "a secret",
            field(
                    "secret",
                    it -> it.secret().text(),
                    (it, json) -> new SecretFile(
                            new SecretName(text(json)),
                            it.file(),
                            it.uid(),
                            it.gid(),
                            it.mode(),
                            it.asVariable(),
                            it.onChange())),
            field("file", it -> it.file().text(), (it, json) -> it.file(text(json))),
            field(
                    "uid",
                    it -> it.uid().isPresent() ? it.uid().getAsInt() : null,
                    (it, json) -> it.owner(OptionalInt.of(small(json)), it.gid())),
            field(
                    "gid",
                    it -> it.gid().isPresent() ? it.gid().getAsInt() : null,
                    (it, json) -> it.owner(it.uid(), OptionalInt.of(small(json)))),
            field("mode", SecretFile::mode, (it, json) -> it.mode(small(json))),
            field("asVariable", it -> it.asVariable().orElse(null), (it, json) -> it.asVariable(text(json))),
            field(
                    "onChange",
                    it -> it.onChange() instanceof OnSecretChange.Nothing
                            ? null
                            : it.onChange().text(),
                    (it, json) -> it.onChange(OnSecretChange.parse(text(json)))));

    static final JsonForm<Mount.Secrets> SECRETS = new JsonForm<>(
            "a mount",
            field(
                    "files",
                    it -> it.files().stream().map(SECRET::write).toList(),
                    (it, json) -> new Mount.Secrets(list(json, one -> SECRET.read(NO_SECRET, one)))));
    static final JsonForm<HostDevice> DEVICE = new JsonForm<>(
            "a device",
            field(
                    "source",
                    it -> path(it.source()),
                    (it, json) -> new HostDevice(path(json), it.target(), it.access())),
            field(
                    "target",
                    it -> text(it.target().relative()),
                    (it, json) -> new HostDevice(it.source(), inRoot(json), it.access())),
            field(
                    "access",
                    it -> names(it.access()),
                    (it, json) -> new HostDevice(it.source(), it.target(), constants(DeviceRule.Access.class, json))));

    static final JsonForm<Rlimit> RLIMIT = new JsonForm<>(
            "a resource limit",
            field(
                    "resource",
                    it -> it.resource().name(),
                    (it, json) -> new Rlimit(constant(Rlimit.Resource.class, json), it.soft(), it.hard())),
            field("hard", Rlimit::hard, (it, json) -> new Rlimit(it.resource(), 0, number(json))),
            field("soft", Rlimit::soft, (it, json) -> new Rlimit(it.resource(), number(json), it.hard())));

    static final JsonForm<SeccompChoice.Custom> CUSTOM = new JsonForm<>(
            "a seccomp profile",
            field("name", it -> text(it.name()), (it, json) -> new SeccompChoice.Custom(text(json), it.json())),
            field("json", it -> text(it.json()), (it, json) -> new SeccompChoice.Custom(it.name(), text(json))));

    static final JsonForm<SeccompChoice.Watched> WATCHED = new JsonForm<>(
            "a seccomp profile",
            field(
                    "choice",
                    it -> write(it.choice()),
                    (it, json) -> new SeccompChoice.Watched(seccomp(json), it.watch())),
            field(
                    "watch",
                    it -> it.watch().name(),
                    (it, json) -> new SeccompChoice.Watched(it.choice(), constant(SeccompChoice.Watch.class, json))));

    private PartsJson() {}

    private static Optional<VolumeName> volume(String name) {
        return name.isEmpty() ? Optional.empty() : Optional.of(new VolumeName(name));
    }

    private static InRootPath inRoot(Object json) {
        return InRootPath.of(text(json));
    }

    static Object write(Image image) {
        return switch (image) {
            case Image.Host _ -> kind("host");
            case Image.Directory it -> kind("directory", DIRECTORY.write(it));
            case Image.OciLayout it -> kind("ociLayout", OCI_LAYOUT.write(it));
            case Image.DockerArchive it -> kind("dockerArchive", DOCKER_ARCHIVE.write(it));
            case Image.Named it -> kind("named", NAMED.write(it));
            case Image.Snapshot it -> kind("snapshot", SNAPSHOT.write(it));
        };
    }

    static Image image(Object json) {
        return ofKind(
                "the image",
                json,
                Map.of(
                        "host", alone("the image", Image.host()),
                        "directory", rest -> DIRECTORY.read(new Image.Directory(NO_PATH), rest),
                        "ociLayout", rest -> OCI_LAYOUT.read(new Image.OciLayout(NO_PATH, Optional.empty()), rest),
                        "named", rest -> NAMED.read(new Image.Named(NO_NAME), rest),
                        "snapshot", rest -> SNAPSHOT.read(NO_SNAPSHOT, rest),
                        "dockerArchive",
                                rest -> DOCKER_ARCHIVE.read(new Image.DockerArchive(NO_PATH, Optional.empty()), rest)));
    }

    static Object write(Placement placement) {
        return switch (placement) {
            case Placement.Standard _ -> kind("standard");
            case Placement.Parent it -> kind("parent", PARENT.write(it));
            case Placement.Tenant it -> kind("tenant", TENANT.write(it));
        };
    }

    static Placement placement(Object json) {
        Placement standard = new Placement.Standard();
        return ofKind(
                "the placement",
                json,
                Map.of(
                        "standard", alone("the placement", standard),
                        "parent", rest -> PARENT.read(new Placement.Parent(""), rest),
                        "tenant", rest -> TENANT.read(new Placement.Tenant("", Optional.empty()), rest)));
    }

    static Object write(Mount mount) {
        return switch (mount) {
            case Mount.Bind it -> kind("bind", BIND.write(it));
            case Mount.Tmpfs it -> kind("tmpfs", TMPFS.write(it));
            case Mount.Workspace it -> kind("workspace", WORKSPACE.write(it));
            case Mount.Volume it -> kind("volume", VOLUME.write(it));
            case Mount.ImageFiles it -> kind("image", IMAGE_FILES.write(it));
            case Mount.Secrets it -> kind("secrets", SECRETS.write(it));
        };
    }

    /// What is not written of a mount is as safe as it gets.
    static Mount mount(Object json) {
        return ofKind(
                "a mount",
                json,
                Map.of(
                        "bind", rest -> BIND.read(new Mount.Bind(NO_PATH, ROOT, true, false), rest),
                        "tmpfs", rest -> TMPFS.read(new Mount.Tmpfs(ROOT, Bytes.ZERO, 0700, true, false), rest),
                        "workspace", rest -> WORKSPACE.read(new Mount.Workspace(UNNAMED, ROOT, true), rest),
                        "volume", rest -> VOLUME.read(new Mount.Volume(Optional.empty(), ROOT, true, false), rest),
                        "image", rest -> IMAGE_FILES.read(new Mount.ImageFiles(NO_NAME, ROOT, Optional.empty()), rest),
                        "secrets", rest -> SECRETS.read(new Mount.Secrets(List.of(NO_SECRET)), rest)));
    }

    static Object write(SeccompChoice choice) {
        return switch (choice) {
            case SeccompChoice.Standard _ -> kind("standard");
            case SeccompChoice.Strict _ -> kind("strict");
            case SeccompChoice.Unconfined _ -> kind("unconfined");
            case SeccompChoice.Custom it -> kind("custom", CUSTOM.write(it));
            case SeccompChoice.Watched it -> kind("watched", WATCHED.write(it));
        };
    }

    static SeccompChoice seccomp(Object json) {
        SeccompChoice standard = new SeccompChoice.Standard();
        SeccompChoice strict = new SeccompChoice.Strict();
        SeccompChoice unconfined = new SeccompChoice.Unconfined();
        return ofKind(
                "the seccomp profile",
                json,
                Map.of(
                        "standard", alone("the seccomp profile", standard),
                        "strict", alone("the seccomp profile", strict),
                        "unconfined", alone("the seccomp profile", unconfined),
                        "custom", rest -> CUSTOM.read(new SeccompChoice.Custom("", ""), rest),
                        "watched",
                                rest -> WATCHED.read(
                                        new SeccompChoice.Watched(standard, SeccompChoice.Watch.TELL), rest)));
    }

    static HostDevice device(Object json) {
        return DEVICE.read(new HostDevice(NO_PATH, ROOT, Set.of()), json);
    }

    static Rlimit rlimit(Object json) {
        return RLIMIT.read(new Rlimit(Rlimit.Resource.CPU, 0, 0), json);
    }
}
