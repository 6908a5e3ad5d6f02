package dev.caisson.launch;

import dev.caisson.network.Attachment;
import dev.caisson.spec.ContainerPort;
import dev.caisson.text.AddressText;
import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Docker's variables that tell a program the ports of the containers that its own is linked to. The variables of
/// these containers are not told: they may be secrets.
final class LinkVariables {
    private LinkVariables() {}

    static Map<String, String> of(GuestNetwork network) {
        var all = new LinkedHashMap<String, String>();
        for (Attachment place : network.attachments()) {
            String self = place.aliases().isEmpty()
                    ? place.container().shortForm()
                    : place.aliases().getLast();
            place.links().forEach(link -> add(all, link, self));
        }
        return all;
    }

    private static void add(Map<String, String> all, Attachment.Linked link, String self) {
        String prefix = link.alias().toUpperCase(Locale.ROOT).replace('-', '_').replace('.', '_');
        all.put(prefix + "_NAME", "/" + self + "/" + link.alias());
        Optional<InetAddress> address = link.ip4().or(link::ip6);
        if (address.isEmpty() || link.exposed().isEmpty()) {
            return;
        }
        List<ContainerPort> ports = link.exposed();
        all.put(prefix + "_PORT", url(ports.getFirst(), address.get()));
        for (ContainerPort port : ports) {
            String name = prefix + "_PORT_" + port.number() + "_"
                    + port.transport().text().toUpperCase(Locale.ROOT);
            all.put(name, url(port, address.get()));
            all.put(name + "_ADDR", AddressText.of(address.get()));
            all.put(name + "_PORT", Integer.toString(port.number()));
            all.put(name + "_PROTO", port.transport().text());
        }
    }

    private static String url(ContainerPort port, InetAddress address) {
        String text = AddressText.of(address);
        return port.transport().text() + "://" + (text.contains(":") ? "[" + text + "]" : text) + ":" + port.number();
    }
}
