package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cgroup.KernelSetting;
import dev.caisson.image.Image;
import dev.caisson.linux.Fd;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Limits;
import dev.caisson.spec.SpecException;
import dev.caisson.spec.SpecJson;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.KeptFile;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// Changes the limits of a container that outlives its command, under its lock: the kernel first, which refuses what it
/// does not take and keeps the former limits, then what is written down, then a comparison of both.
final class LimitChange {
    private static final String NAME = "limits.json";
    private static final String SPEC = "spec";

    private final DetachedPlace place;
    private final DetachedPlace.Held held;

    LimitChange(DetachedPlace place, DetachedPlace.Held held) {
        this.place = place;
        this.held = held;
    }

    /// Writes down the limits of a container, in the form of a spec that has nothing else.
    static void write(Fd directory, Limits limits) {
        KeptFile.write(
                directory,
                NAME,
                Map.of(
                        SPEC,
                        SpecJson.write(ContainerSpec.of(Image.host(), "true").limits(limits))));
    }

    static Optional<Limits> read(Fd directory) {
        return KeptFile.read(directory, NAME, fields -> KeptFile.text(fields, SPEC))
                .flatMap(json -> {
                    try {
                        return Optional.of(SpecJson.read(json).limits());
                    } catch (SpecException e) {
                        return Optional.empty(); // of a later version, or not whole
                    }
                });
    }

    void to(UnaryOperator<Limits> change) {
        Limits before = read(held.kept())
                .orElseThrow(() -> new EngineException(
                        "LIMITS_UNKNOWN",
                        "the limits of container " + place.name()
                                + " are not written down, it was created by another version: create it again"));
        Limits wanted = change.apply(before);
        if (wanted.equals(before)) {
            return;
        }
        place.monitor().close(); // refuses one whose monitor is gone, and its group with it
        ContainerRecord record = place.record();
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            Cgroup group = hierarchy.find(record.cgroupParent(), record.id()).orElseThrow(place::dead);
            group.update(
                    wanted, record.settings().stream().map(KernelSetting::parse).toList());
            ContainerRecord changed = record.limited(group, wanted);
            place.save(changed);
            write(held.kept(), wanted);
            place.details().limited(wanted).write(held.kept());
            requireInForce(group, changed);
        }
    }

    private void requireInForce(Cgroup group, ContainerRecord record) {
        List<Cgroup.Standing> others =
                group
                        .standing(record.settings().stream()
                                .map(KernelSetting::parse)
                                .toList())
                        .stream()
                        .filter(standing -> !standing.isAsPlanned())
                        .toList();
        if (!others.isEmpty()) {
            Cgroup.Standing first = others.getFirst();
            throw new EngineException(
                    "LIMITS_NOT_IN_FORCE",
                    "the kernel has " + first.found() + " for " + first.setting() + " of container " + place.name()
                            + ": 'caisson verify " + place.name() + "' shows all of them");
        }
    }
}
