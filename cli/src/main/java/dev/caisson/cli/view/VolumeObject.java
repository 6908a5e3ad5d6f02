package dev.caisson.cli.view;

import dev.caisson.cli.template.Template;
import dev.caisson.engine.Volume;
import dev.caisson.engine.VolumeUse;
import dev.caisson.engine.Volumes;
import java.util.LinkedHashMap;
import java.util.Map;

/// A volume in the form of Docker's `volume inspect`, with what is used and who uses it.
public final class VolumeObject {
    private VolumeObject() {}

    public static Map<String, Object> of(Volume volume, Volumes all) {
        return of(volume, all.use(volume.name()));
    }

    private static Map<String, Object> of(Volume volume, VolumeUse use) {
        var object = new LinkedHashMap<String, Object>();
        object.put("CreatedAt", volume.created().toString());
        object.put("Driver", "local");
        object.put("Labels", new Template.Dictionary(volume.labels()));
        object.put("Mountpoint", "");
        object.put("Name", volume.name().value());
        object.put("Options", volume.sized() ? Map.of("size", volume.size().toString()) : Map.of());
        object.put("Scope", "local");
        object.put("Anonymous", volume.anonymous());
        var bound = new LinkedHashMap<String, Object>();
        bound.put("Bytes", volume.size().count());
        bound.put("Inodes", volume.inodes());
        object.put("Bound", bound);
        var usage = new LinkedHashMap<String, Object>();
        usage.put("Size", use.used().count());
        usage.put("Inodes", use.inodes());
        usage.put("OnDisk", use.onDisk().count());
        usage.put("RefCount", (long) use.containers().size());
        object.put("UsageData", usage);
        object.put("InUse", use.inUse());
        object.put("Containers", use.containers());
        return object;
    }
}
