package dev.caisson.spec;

import java.util.LinkedHashMap;
import java.util.Map;

/// A destination outside of its networks that a container tried to reach and that its list of `--egress` lacks, or a
/// name that it must not look up. Each is reported once.
///
/// @param name that it looked up, or that led to the address; empty if it is not known
/// @param address that it sent to, or that a name was answered with; empty for a name that was asked of nobody
/// @param port that it sent to; 0 for a name, and for a protocol without ports
/// @param protocol `tcp`, `udp`, `icmp`, or the protocol's number; `dns` for a name
/// @param reason a few words, for people
public record DeniedDestination(String name, String address, int port, String protocol, String reason) {
    /// Returns the fields for programs: texts and a number by name, in a lasting order.
    public Map<String, Object> fields() {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("name", name);
        fields.put("address", address);
        fields.put("port", port);
        fields.put("protocol", protocol);
        fields.put("reason", reason);
        return fields;
    }
}
