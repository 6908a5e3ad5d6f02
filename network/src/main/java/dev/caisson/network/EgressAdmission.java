package dev.caisson.network;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.NetlinkException;
import dev.caisson.network.filter.Sets;
import dev.caisson.network.names.Admission;
import dev.caisson.network.nft.SetElement;
import dev.caisson.spec.Destination;
import dev.caisson.spec.Egress;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The list of one container as its resolver keeps to it: a name that is not on it is asked of nobody, and an address
/// that a name leads to is opened, for as long as the answer holds, before the container is told.
final class EgressAdmission implements Admission {
    private final PinBook book;
    private final ContainerNetworks container;
    private final Egress.Listed listed;

    /// @param container as it is recorded
    EgressAdmission(PinBook book, ContainerNetworks container, Egress.Listed listed) {
        this.book = book;
        this.container = container;
        this.listed = listed;
    }

    @Override
    public boolean mayAsk(Optional<String> name) {
        if (name.map(asked -> !listed.of(asked).isEmpty()).orElse(false)) {
            return true;
        }
        denied(name, Optional.empty(), "the name is not on its list");
        return false;
    }

    @Override
    public Optional<List<InetAddress>> admit(String name, List<InetAddress> addresses, int seconds) {
        Duration lasting = book.lasting(seconds);
        var told = new ArrayList<InetAddress>();
        var pins = new LinkedHashMap<Sets.Place, List<SetElement>>();
        for (InetAddress address : addresses) {
            if (!SpecialAddresses.contain(address) && !book.isOfHost(address)) {
                told.add(address);
                pins(name, address, lasting, pins);
            } else if (listed.hasAddress(address)) { // it is reached by that alone
                told.add(address);
            } else {
                denied(
                        Optional.of(name),
                        Optional.of(address),
                        "the name led to an address of a private network or the host");
            }
        }
        if (!book.mayPin(container.container(), pins, lasting)) {
            denied(Optional.of(name), Optional.empty(), "names have led to too many addresses");
            return Optional.empty();
        }
        if (!pin(name, pins)) {
            return Optional.empty();
        }
        told.forEach(address -> book.remember(container.container(), address, name));
        return Optional.of(told);
    }

    private void pins(String name, InetAddress address, Duration lasting, Map<Sets.Place, List<SetElement>> pins) {
        boolean six = address.getAddress().length != 4;
        container.addresses(six).forEach(source -> {
            for (Destination.Name one : listed.of(name)) {
                if (!one.greeted() && !listed.allows(address, one.port(), one.transport())) {
                    pins.computeIfAbsent(Pins.place(six), _ -> new ArrayList<>())
                            .add(Pins.pin(source, address, one, name, lasting));
                }
            }
        });
    }

    /// Who changes the list writes that down first, and takes away then what does not belong to it. So one that is the
    /// same after this as before is in force, or what was added is found by who changes it.
    private boolean pin(String name, Map<Sets.Place, List<SetElement>> pins) {
        if (pins.isEmpty()) {
            return true;
        }
        try {
            book.put(pins);
            if (book.egressNow(container.container()).filter(listed::equals).isPresent()) {
                return true;
            }
            book.remove(pins);
        } catch (NetlinkException e) { // somebody has flushed the tables, or there is no room left
            denied(Optional.of(name), Optional.empty(), "the packet filter did not take its addresses");
        } catch (ErrnoException e) {
            book.remove(pins); // its record cannot be read
        }
        return false;
    }

    private void denied(Optional<String> name, Optional<InetAddress> address, String reason) {
        book.denied(new EgressDenial(container.container(), name, address, 0, EgressDenial.NAMES, reason));
    }
}
