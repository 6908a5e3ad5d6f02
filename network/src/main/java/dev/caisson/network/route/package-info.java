/// Messages of rtnetlink(7): links, addresses and routes.
package dev.caisson.network.route;
