package dev.caisson.spec;

import static dev.caisson.spec.JsonForm.field;
import static dev.caisson.spec.JsonValues.bytes;
import static dev.caisson.spec.JsonValues.constant;
import static dev.caisson.spec.JsonValues.constants;
import static dev.caisson.spec.JsonValues.list;
import static dev.caisson.spec.JsonValues.names;
import static dev.caisson.spec.JsonValues.number;
import static dev.caisson.spec.JsonValues.small;
import static dev.caisson.spec.JsonValues.text;
import static dev.caisson.spec.JsonValues.truth;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Limits as a written specification has them.
final class LimitsJson {
    private static final BlockDevice NO_DISK = new BlockDevice(0, 0);

    static final JsonForm<CpuQuota> QUOTA = new JsonForm<>(
            "a CPU quota",
            field(
                    "quotaMicros",
                    CpuQuota::quotaMicros,
                    (quota, json) -> new CpuQuota(number(json), quota.periodMicros())),
            field(
                    "periodMicros",
                    CpuQuota::periodMicros,
                    (quota, json) -> new CpuQuota(quota.quotaMicros(), number(json))));

    static final JsonForm<IoWeight> IO_WEIGHT = new JsonForm<>(
            "an I/O weight",
            field("device", it -> it.device().toString(), (it, json) -> new IoWeight(disk(json), it.weight())),
            field("weight", IoWeight::weight, (it, json) -> new IoWeight(it.device(), small(json))));

    static final JsonForm<IoLimit> IO_LIMIT = new JsonForm<>(
            "an I/O limit",
            field(
                    "device",
                    it -> it.device().toString(),
                    (it, json) -> new IoLimit(
                            disk(json), it.readBytes(), it.writeBytes(), it.readOperations(), it.writeOperations())),
            field("readBytes", IoLimit::readBytes, (it, json) -> it.readBytes(number(json))),
            field("writeBytes", IoLimit::writeBytes, (it, json) -> it.writeBytes(number(json))),
            field("readOperations", IoLimit::readOperations, (it, json) -> it.readOperations(number(json))),
            field("writeOperations", IoLimit::writeOperations, (it, json) -> it.writeOperations(number(json))));

    /// A rule's numbers are null for every number.
    static final JsonForm<DeviceRule> DEVICE_RULE = new JsonForm<>(
            "a rule for devices",
            field(
                    "kind",
                    it -> it.kind().name(),
                    (it, json) ->
                            new DeviceRule(constant(DeviceRule.Kind.class, json), it.major(), it.minor(), it.access())),
            field(
                    "major",
                    it -> optional(it.major()),
                    (it, json) -> new DeviceRule(it.kind(), OptionalInt.of(small(json)), it.minor(), it.access())),
            field(
                    "minor",
                    it -> optional(it.minor()),
                    (it, json) -> new DeviceRule(it.kind(), it.major(), OptionalInt.of(small(json)), it.access())),
            field(
                    "access",
                    it -> names(it.access()),
                    (it, json) -> new DeviceRule(
                            it.kind(), it.major(), it.minor(), constants(DeviceRule.Access.class, json))));

    private static final DeviceRule NO_RULE =
            new DeviceRule(DeviceRule.Kind.CHARACTER, OptionalInt.empty(), OptionalInt.empty(), java.util.Set.of());

    static final JsonForm<Limits> LIMITS = new JsonForm<>(
            "the limits",
            field("memory", it -> it.memory().count(), (it, json) -> it.memory(bytes(json))),
            field("memorySwap", it -> bytes(it.memorySwap()), (it, json) -> it.memorySwap(bytes(json))),
            field(
                    "memoryReservation",
                    it -> bytes(it.memoryReservation()),
                    (it, json) -> it.memoryReservation(bytes(json))),
            field(
                    "memorySwappiness",
                    it -> optional(it.memorySwappiness()),
                    (it, json) -> it.memorySwappiness(small(json))),
            field("oomKillDisable", Limits::oomKillDisable, (it, json) -> it.oomKillDisable(truth(json))),
            field(
                    "cpuQuota",
                    it -> it.cpuQuota().map(QUOTA::write).orElse(null),
                    (it, json) ->
                            it.cpus(QUOTA.read(new CpuQuota(CpuQuota.DEFAULT_PERIOD, CpuQuota.DEFAULT_PERIOD), json))),
            field("cpuShares", Limits::cpuShares, (it, json) -> it.cpuShares(small(json))),
            field(
                    "cpuset",
                    it -> it.cpuset().map(CpuList::toString).orElse(null),
                    (it, json) -> it.cpuset(CpuList.parse(text(json)))),
            field(
                    "memoryNodes",
                    it -> it.memoryNodes().map(CpuList::toString).orElse(null),
                    (it, json) -> it.memoryNodes(CpuList.parse(text(json)))),
            field("ioWeight", it -> optional(it.ioWeight()), (it, json) -> it.ioWeight(small(json))),
            field(
                    "ioWeights",
                    it -> it.ioWeights().stream().map(IO_WEIGHT::write).toList(),
                    (it, json) -> it.ioWeights(list(
                            json, one -> IO_WEIGHT.read(new IoWeight(NO_DISK, IoWeight.LEAST), one)))),
            field(
                    "io",
                    it -> it.io().stream().map(IO_LIMIT::write).toList(),
                    (it, json) -> it.io(list(json, one -> IO_LIMIT.read(IoLimit.on(NO_DISK), one)))),
            field("pids", Limits::pids, (it, json) -> it.pids(number(json))),
            field("hugePages", it -> hugePages(it.hugePages()), (it, json) -> it.hugePages(hugePages(json))),
            field(
                    "devices",
                    it -> it.devices()
                            .map(rules -> rules.stream().map(DEVICE_RULE::write).toList())
                            .orElse(null),
                    (it, json) -> it.devices(list(json, one -> DEVICE_RULE.read(NO_RULE, one)))),
            field("bestEffort", Limits::bestEffort, (it, json) -> it.bestEffort(truth(json))));

    private LimitsJson() {}

    private static BlockDevice disk(Object json) {
        return BlockDevice.parse(text(json));
    }

    private static @Nullable Object optional(OptionalInt number) {
        return number.isPresent() ? number.getAsInt() : null;
    }

    private static List<Object> hugePages(Map<String, Bytes> most) {
        return new TreeMap<>(most)
                .entrySet().stream()
                        .map(entry -> (Object)
                                List.of(entry.getKey(), entry.getValue().count()))
                        .toList();
    }

    private static Map<String, Bytes> hugePages(Object json) {
        var most = new TreeMap<String, Bytes>();
        for (List<Object> pair : list(json, one -> list(one, part -> part))) {
            if (pair.size() != 2) {
                throw JsonValues.expected("a list of two", pair);
            }
            most.put(text(pair.get(0)), bytes(pair.get(1)));
        }
        return most;
    }
}
