package dev.caisson.engine;

import dev.caisson.error.ArgumentException;
import dev.caisson.linux.KernelRandom;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.VolumeName;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The spec of a container whose volumes all have names.
///
/// @param anonymous those whose names were made up
record VolumeMounts(ContainerSpec spec, Set<VolumeName> anonymous) {
    private static final int NAME_BYTES = 32;

    VolumeMounts {
        anonymous = Set.copyOf(anonymous);
    }

    /// Gives those a name that have none.
    ///
    /// @param declared paths in the image that are to be volumes, but for those that are targets of mounts
    static VolumeMounts of(ContainerSpec asked, List<String> declared) {
        var names = new HashSet<VolumeName>();
        var above = new LinkedHashSet<InRootPath>();
        var below = new LinkedHashSet<InRootPath>();
        for (String path : declared) {
            InRootPath target = target(path);
            if (asked.mounts().stream().noneMatch(mount -> mount.target().equals(target))) {
                boolean inside = asked.mounts().stream().anyMatch(mount -> target.isWithin(mount.target()));
                (inside ? below : above).add(target);
            }
        }
        var mounts = new ArrayList<Mount>();
        byDepth(above).forEach(target -> mounts.add(new Mount.Volume(Optional.empty(), target, false, true)));
        mounts.addAll(asked.mounts());
        byDepth(below).forEach(target -> mounts.add(new Mount.Volume(Optional.empty(), target, false, true)));
        boolean changed = mounts.size() != asked.mounts().size();
        for (int i = 0; i < mounts.size(); i++) {
            if (mounts.get(i) instanceof Mount.Volume volume && volume.name().isEmpty()) {
                var name = new VolumeName(HexFormat.of().formatHex(KernelRandom.bytes(NAME_BYTES)));
                names.add(name);
                mounts.set(i, volume.name(name));
                changed = true;
            }
        }
        return new VolumeMounts(changed ? asked.mounts(mounts) : asked, names);
    }

    /// A directory comes before those in it.
    private static List<InRootPath> byDepth(Set<InRootPath> targets) {
        return targets.stream()
                .sorted(Comparator.comparingLong(target -> target.relative()
                        .chars()
                        .filter(letter -> letter == '/')
                        .count()))
                .toList();
    }

    private static InRootPath target(String path) {
        try {
            return InRootPath.parse(path.startsWith("/") ? path : "/" + path);
        } catch (ArgumentException e) {
            throw new EngineException(
                    "IMAGE_VOLUME", "the image declares a volume that cannot be mounted: " + e.sentence());
        }
    }
}
