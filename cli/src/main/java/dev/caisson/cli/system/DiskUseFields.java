package dev.caisson.cli.system;

import dev.caisson.cli.text.SizeText;
import dev.caisson.engine.DiskUse;
import dev.caisson.image.ImageReference;
import dev.caisson.image.StoredImage;
import dev.caisson.spec.Bytes;
import java.util.LinkedHashMap;
import java.util.Map;

/// The fields of templates of `caisson system df -v`: a list for each kind, with Docker's names where it has them.
record DiskUseFields(DiskUse use) {
    private static final int DIGITS = 4;
    private static final int SHORT = 12;

    Map<String, Object> all() {
        var all = new LinkedHashMap<String, Object>();
        all.put("Images", use.images().all().stream().map(DiskUseFields::image).toList());
        all.put(
                "Containers",
                use.containers().stream().map(DiskUseFields::container).toList());
        all.put(
                "Volumes",
                use.volumes().stream()
                        .map(volume -> shared(volume.name().value(), volume.containers(), volume.onDisk()))
                        .toList());
        all.put(
                "Workspaces",
                use.workspaces().stream()
                        .map(workspace -> shared(workspace.name().value(), workspace.containers(), workspace.onDisk()))
                        .toList());
        all.put(
                "Snapshots",
                use.snapshots().stream()
                        .map(snapshot -> shared(snapshot.name().value(), snapshot.containers(), snapshot.bytes()))
                        .toList());
        return all;
    }

    private static String size(Bytes bytes) {
        return SizeText.of(bytes.count(), DIGITS);
    }

    static Map<String, Object> image(DiskUse.OfImage use) {
        StoredImage image = use.image();
        var fields = new LinkedHashMap<String, Object>();
        fields.put("Containers", Integer.toString(use.users()));
        fields.put("ID", use.id().hex().substring(0, SHORT));
        fields.put("Repository", ImageReference.parse(image.repository()).shortRepository());
        fields.put("SharedSize", size(Bytes.of(use.bytes().count() - use.alone().count())));
        fields.put("Size", size(use.bytes()));
        fields.put("Tag", image.tag().orElse("<none>"));
        fields.put("UniqueSize", size(use.alone()));
        return fields;
    }

    private static Map<String, Object> container(DiskUse.OfContainer container) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("ID", container.id().value());
        fields.put("Image", container.image());
        fields.put("Log", size(container.log()));
        fields.put("Names", container.name());
        fields.put("Size", size(container.written()));
        fields.put("State", container.running() ? "running" : "ended");
        return fields;
    }

    private static Map<String, Object> shared(String name, int containers, Bytes bytes) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("Links", Integer.toString(containers));
        fields.put("Name", name);
        fields.put("Size", size(bytes));
        return fields;
    }
}
