/// The rules and the forms of the sets of our tables. What changes with networks, containers and ports is elements.
package dev.caisson.network.filter;
