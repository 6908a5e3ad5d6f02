package dev.caisson.build;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Reads the plain parts of a layer's archive.
final class LayerList {
    private static final int BLOCK = 512;

    private LayerList() {}

    static byte[] bytes(LayerBuilder layer, Optional<Instant> latest) throws IOException {
        var out = new ByteArrayOutputStream();
        layer.write(out, latest);
        return out.toByteArray();
    }

    /// Lists an archive: type, mode, owner, name, and the target of a link or the content of a file.
    static List<String> of(byte[] tar) {
        var lines = new ArrayList<String>();
        int at = 0;
        while (at + BLOCK <= tar.length && tar[at] != 0) {
            int size = Integer.parseInt(text(tar, at + 124, 12), 8);
            String name = text(tar, at, 100);
            String content = tar[at + 156] == '0'
                    ? " =" + new String(tar, at + BLOCK, size, StandardCharsets.UTF_8)
                    : tar[at + 156] == '2' || tar[at + 156] == '1' ? " ->" + text(tar, at + 157, 100) : "";
            lines.add((char) tar[at + 156] + " " + text(tar, at + 100, 8).replaceFirst("^0+(?=.{3})", "") + " "
                    + Integer.parseInt(text(tar, at + 108, 8), 8) + ":" + Integer.parseInt(text(tar, at + 116, 8), 8)
                    + " " + name + content);
            at += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
        }
        return lines;
    }

    private static String text(byte[] tar, int at, int length) {
        int end = at;
        while (end < at + length && tar[end] != 0) {
            end++;
        }
        return new String(tar, at, end - at, StandardCharsets.UTF_8).strip();
    }
}
