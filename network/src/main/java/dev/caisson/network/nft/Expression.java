package dev.caisson.network.nft;

import dev.caisson.linux.NetlinkWriter;
import java.util.function.Consumer;

/// One expression of a rule: its kind by the kernel's name, and its attributes.
public record Expression(String name, Consumer<NetlinkWriter> attributes) {
    private static final int NAME = 1;
    private static final int DATA = 2;

    void write(NetlinkWriter out, int type) {
        out.nested(type).string(NAME, name);
        out.nested(DATA);
        attributes.accept(out);
        out.end().end();
    }
}
