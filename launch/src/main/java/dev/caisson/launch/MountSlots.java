package dev.caisson.launch;

import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.VolumeName;
import java.util.ArrayList;
import java.util.List;

/// The slots of what a container has mounted, each kind numbered from 0.
final class MountSlots {
    private static final InRootPath ALL = InRootPath.of("");

    private MountSlots() {}

    /// @param certificates files of the host that are bound behind the others
    /// @param user who has secrets that name no owner
    static List<SlotSource> of(List<Mount> mounts, List<Mount.Bind> certificates, RootImage.ProgramUser user) {
        var slots = new ArrayList<SlotSource>();
        int binds = 0;
        int shared = 0;
        int images = 0;
        for (Mount mount : mounts) {
            switch (mount) {
                case Mount.Bind bind -> slots.add(new SlotSource.Bind(binds++, bind.source(), bind.readOnly()));
                case Mount.Workspace it -> slots.add(new SlotSource.Shared(shared++, it.name(), it.readOnly(), ALL));
                case Mount.Volume it -> slots.add(volume(shared++, it));
                case Mount.ImageFiles it ->
                    slots.add(new SlotSource.ImageFiles(
                            images++, it.image().toString(), it.subpath().orElse(ALL)));
                case Mount.Tmpfs _, Mount.Secrets _ -> {}
            }
        }
        for (Mount.Bind one : certificates) {
            slots.add(new SlotSource.Bind(binds++, one.source(), true));
        }
        for (Mount mount : mounts) {
            if (mount instanceof Mount.Secrets secrets) { // its mount stands behind those of workspaces and volumes
                slots.add(SlotSource.Secrets.of(shared, secrets, user));
            }
        }
        return slots;
    }

    /// What has no name gets one before it is planned.
    private static SlotSource volume(int index, Mount.Volume volume) {
        VolumeName name = volume.name().orElseThrow(() -> new IllegalStateException("a volume without a name"));
        return new SlotSource.Shared(
                index, name, volume.readOnly(), volume.subpath().orElse(ALL));
    }
}
