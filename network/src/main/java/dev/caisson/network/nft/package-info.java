/// Messages of nfnetlink for nftables: tables, chains, rules of a few expressions, sets and their elements.
package dev.caisson.network.nft;
