package dev.caisson.spec;

import static dev.caisson.spec.JsonForm.field;
import static dev.caisson.spec.JsonValues.bytes;
import static dev.caisson.spec.JsonValues.constants;
import static dev.caisson.spec.JsonValues.duration;
import static dev.caisson.spec.JsonValues.each;
import static dev.caisson.spec.JsonValues.list;
import static dev.caisson.spec.JsonValues.names;
import static dev.caisson.spec.JsonValues.pairs;
import static dev.caisson.spec.JsonValues.small;
import static dev.caisson.spec.JsonValues.text;
import static dev.caisson.spec.JsonValues.texts;
import static dev.caisson.spec.JsonValues.truth;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import io.avaje.json.mapper.JsonMapper;
import io.avaje.json.stream.JsonStream;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A specification as JSON text, to be kept and read back, by any later version of Caisson too. All fields are written,
/// also those that have their defaults, so that a container stays what it was asked to be when a default changes.
///
/// Reading is strict: a field or kind that is not known is refused, and so is what a later version wrote. A field that
/// is missing, as an earlier version did not have it, has its default.
///
/// The text holds the values of variables, which may be secrets.
public final class SpecJson {
    /// Of the text. It is raised when an earlier version of Caisson would misunderstand what is written.
    static final int VERSION = 1;

    private static final String FORMAT = "version";
    private static final Json.Limits LIMITS = new Json.Limits(32 << 20, 32, 1_000_000);
    private static final JsonMapper JSON = JsonMapper.builder()
            .jsonStream(JsonStream.builder()
                    .serializeEmpty(true)
                    .serializeNulls(false)
                    .build())
            .build();

    static final JsonForm<TerminalSize> SIZE = new JsonForm<>(
            "the terminal",
            field("rows", TerminalSize::rows, (it, json) -> new TerminalSize(small(json), it.columns())),
            field("columns", TerminalSize::columns, (it, json) -> new TerminalSize(it.rows(), small(json))));

    /// By the names of the fields of [ContainerSpec].
    static final JsonForm<ContainerSpec> SPEC = new JsonForm<>(
            "the specification",
            field("image", it -> PartsJson.write(it.image()), (it, _) -> it), // read first, by read()
            field(
                    "command",
                    it -> texts(it.command()),
                    (it, json) -> it.command(texts(json).toArray(String[]::new))),
            field(
                    "entrypoint",
                    it -> it.entrypoint().map(JsonValues::texts).orElse(null),
                    (it, json) -> it.entrypoint(texts(json))),
            field(
                    "environment",
                    it -> pairs(it.environment()),
                    (it, json) -> pairs(it, json, ContainerSpec::environment)),
            field("workingDirectory", it -> text(it.workingDirectory()), (it, json) -> it.workingDirectory(text(json))),
            field("user", it -> text(it.user()), (it, json) -> it.user(text(json))),
            field(
                    "addedGroups",
                    it -> texts(it.addedGroups()),
                    (it, json) -> each(it, texts(json), ContainerSpec::addGroup)),
            field("hostName", it -> text(it.hostName()), (it, json) -> it.hostName(text(json))),
            field("name", it -> text(it.name()), (it, json) -> it.name(text(json))),
            field(
                    "limits",
                    it -> LimitsJson.LIMITS.write(it.limits()),
                    (it, json) -> it.limits(LimitsJson.LIMITS.read(Limits.defaults(), json))),
            field(
                    "placement",
                    it -> PartsJson.write(it.placement()),
                    (it, json) -> it.placement(PartsJson.placement(json))),
            field(
                    "writableLayer",
                    it -> PartsJson.LAYER.write(it.writableLayer()),
                    (it, json) -> it.writableLayer(PartsJson.LAYER.read(WritableLayer.STANDARD, json))),
            field(
                    "network",
                    it -> NetworkJson.write(it.network()),
                    (it, json) -> it.network(NetworkJson.network(json))),
            field(
                    "mounts",
                    it -> it.mounts().stream().map(PartsJson::write).toList(),
                    (it, json) -> it.mounts(list(json, PartsJson::mount))),
            field(
                    "devices",
                    it -> it.devices().stream().map(PartsJson.DEVICE::write).toList(),
                    (it, json) -> it.devices(list(json, PartsJson::device))),
            field("readOnlyRoot", ContainerSpec::readOnlyRoot, (it, json) -> it.readOnlyRoot(truth(json))),
            field("privileged", ContainerSpec::privileged, (it, json) -> it.privileged(truth(json))),
            field(
                    "addedCapabilities",
                    it -> names(it.addedCapabilities()),
                    (it, json) -> it.addCapabilities(constants(Capability.class, json))),
            field(
                    "droppedCapabilities",
                    it -> names(it.droppedCapabilities()),
                    (it, json) -> it.dropCapabilities(constants(Capability.class, json))),
            field("newPrivileges", ContainerSpec::newPrivileges, (it, json) -> it.newPrivileges(truth(json))),
            field("seccomp", it -> PartsJson.write(it.seccomp()), (it, json) -> it.seccomp(PartsJson.seccomp(json))),
            field("sysctls", it -> pairs(it.sysctls()), (it, json) -> pairs(it, json, ContainerSpec::sysctl)),
            field(
                    "rlimits",
                    it -> it.rlimits().stream().map(PartsJson.RLIMIT::write).toList(),
                    (it, json) -> each(it, list(json, PartsJson::rlimit), ContainerSpec::rlimit)),
            field(
                    "terminal",
                    it -> it.terminal().map(SIZE::write).orElse(null),
                    (it, json) -> it.terminal(SIZE.read(new TerminalSize(0, 0), json))),
            field("interactive", ContainerSpec::interactive, (it, json) -> it.interactive(truth(json))),
            field("init", ContainerSpec::init, (it, json) -> it.init(truth(json))),
            field(
                    "oomScoreAdjustment",
                    ContainerSpec::oomScoreAdjustment,
                    (it, json) -> it.oomScoreAdjustment(small(json))),
            field(
                    "wallClock",
                    it -> it.wallClock().map(Duration::toString).orElse(null),
                    (it, json) -> it.wallClock(duration(json))),
            field(
                    "cpuTime",
                    it -> it.cpuTime().map(Duration::toString).orElse(null),
                    (it, json) -> it.cpuTime(duration(json))),
            field("outputLimit", it -> it.outputLimit().count(), (it, json) -> it.outputLimit(bytes(json))),
            field("sharedMemory", it -> it.sharedMemory().count(), (it, json) -> it.sharedMemory(bytes(json))),
            field(
                    "allowances",
                    it -> names(it.allowances()),
                    (it, json) -> each(it, List.copyOf(constants(Allowance.class, json)), ContainerSpec::allow)),
            field(
                    "sharedNamespaces",
                    it -> names(it.sharedNamespaces()),
                    (it, json) -> each(
                            it,
                            List.copyOf(constants(ContainerSpec.SharedNamespace.class, json)),
                            ContainerSpec::share)),
            field("labels", it -> pairs(it.labels()), (it, json) -> pairs(it, json, ContainerSpec::label)),
            field("stopSignal", ContainerSpec::stopSignal, (it, json) -> it.stopSignal(small(json))),
            field("stopTimeout", it -> it.stopTimeout().toString(), (it, json) -> it.stopTimeout(duration(json))));

    private SpecJson() {}

    /// Returns the specification as one line of JSON.
    public static String write(ContainerSpec spec) {
        var object = new LinkedHashMap<String, @Nullable Object>();
        object.put(FORMAT, VERSION);
        try {
            object.putAll(SPEC.write(ArgumentException.present(spec, "spec")));
        } catch (IllegalArgumentException e) {
            throw new SpecException(
                    "SPEC_UNWRITABLE", "the specification cannot be written down: " + e.getMessage(), e);
        }
        return JSON.toJson(object);
    }

    /// Reads what [#write] of this or an earlier version wrote.
    /// @throws SpecException SPEC_UNREADABLE, or SPEC_TOO_NEW
    public static ContainerSpec read(String json) {
        try {
            var object = new LinkedHashMap<>(Json.parseObject(ArgumentException.present(json, "json"), LIMITS));
            if (!(object.remove(FORMAT) instanceof Long version) || version < 1) {
                throw new SpecException(
                        "SPEC_UNREADABLE", "the text has no version, so it is no specification that Caisson wrote");
            }
            if (version > VERSION) {
                throw new SpecException(
                        "SPEC_TOO_NEW",
                        "a later version of Caisson wrote this specification (format " + version
                                + "; this one reads up to " + VERSION + "): use that version");
            }
            Object image = object.get("image");
            if (image == null) {
                throw new SpecException("SPEC_UNREADABLE", "the specification names no image");
            }
            return SPEC.read(ContainerSpec.of(PartsJson.image(image), List.<String>of()), object);
        } catch (MalformedJsonException e) {
            throw new SpecException("SPEC_UNREADABLE", "the specification " + e.getMessage(), e);
        } catch (IllegalArgumentException e) {
            throw new SpecException("SPEC_UNREADABLE", "the specification cannot be read: " + e.getMessage(), e);
        }
    }
}
