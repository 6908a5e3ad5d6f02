package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.CgroupException;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cgroup.KernelSetting;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Limits;
import dev.caisson.state.ContainerRecord;
import java.util.List;
import java.util.function.UnaryOperator;

/// Changes the limits of a container that outlives its command, under its lock: the kernel first, which refuses what it
/// does not take and keeps the former limits, then what is written down, then a comparison of both.
final class LimitChange {
    private final DetachedPlace place;
    private final DetachedHold held;

    LimitChange(DetachedPlace place, DetachedHold held) {
        this.place = place;
        this.held = held;
    }

    void to(UnaryOperator<Limits> change) {
        ContainerSpec spec = KeptSpec.read(held.kept())
                .orElseThrow(() -> new EngineException(
                        "LIMITS_UNKNOWN",
                        "the limits of container " + place.name()
                                + " are not written down, it was created by another version: create it again"));
        Limits before = spec.limits();
        Limits wanted = change.apply(before);
        if (wanted.equals(before)) {
            return;
        }
        if (!place.hasMonitor()) { // nor a group: they hold once it is started
            write(spec, wanted);
            return;
        }
        ContainerRecord record = place.record();
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            Cgroup group = hierarchy.find(record.cgroupParent(), record.id()).orElseThrow(place::dead);
            group.update(
                    wanted, record.settings().stream().map(KernelSetting::parse).toList());
            ContainerRecord changed = record.limited(group, wanted);
            place.save(changed);
            write(spec, wanted);
            requireInForce(group, changed);
        } catch (CgroupException | EngineException e) {
            if (place.hasMonitor()) {
                throw e;
            }
            throw place.dead(); // its group went with it, meanwhile
        }
    }

    private void write(ContainerSpec spec, Limits wanted) {
        KeptSpec.write(held.kept(), spec.limits(wanted));
        place.details().limited(wanted).write(held.kept());
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
