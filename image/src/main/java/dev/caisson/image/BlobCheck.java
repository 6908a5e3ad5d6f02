package dev.caisson.image;

import dev.caisson.error.CaissonException;
import dev.caisson.image.PackedImage.PackedLayer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Compares an image of the store with its digests. Nothing is believed that a damaged part says: what cannot be
/// read is a fault, and what depends on it is not compared.
final class BlobCheck {
    private static final int DOCUMENTS = 2;

    private final ContentStore content;
    private final LayerTrees trees;
    private final StoredImage image;
    private final List<ImageCheck.Fault> faults = new ArrayList<>();
    private int blobs;

    BlobCheck(ContentStore content, LayerTrees trees, StoredImage image) {
        this.content = content;
        this.trees = trees;
        this.image = image;
    }

    ImageCheck run() throws IOException {
        try (OciLayoutReader reader = content.reader()) {
            return parts(reader.read(ContentStore.descriptor(image)));
        } catch (ImageException e) { // of the manifest or the configuration, which are compared when they are read
            fault(e);
            return new ImageCheck(blobs, 0, 0, faults);
        }
    }

    private ImageCheck parts(PackedImage packed) {
        blobs = DOCUMENTS;
        packed.layers().forEach(layer -> layer(packed, layer));
        int layers = packed.layers().size();
        if (!faults.isEmpty()) {
            return new ImageCheck(blobs, 0, layers, faults);
        }
        LayerTrees.Compared compared = trees.compare(packed, faults);
        return new ImageCheck(blobs, compared.trees(), compared.notCompared(), faults);
    }

    private void layer(PackedImage packed, PackedLayer layer) {
        try (FileSlice slice = layer.opening().open();
                var stream = new LayerStream(slice, UnpackBudget.of(packed))) {
            stream.verify(layer);
        } catch (ImageException e) {
            fault(e);
        } catch (IOException e) { // of a damaged compressed stream
            faults.add(new ImageCheck.Fault(
                    ImageException.Code.BAD_ARCHIVE.name(),
                    "the layer " + layer.diffId() + " cannot be read (" + e.getMessage() + ")"));
        }
        blobs++;
    }

    private void fault(CaissonException e) {
        faults.add(new ImageCheck.Fault(e.code(), e.sentence()));
    }
}
