/**
 * The client side of nsqlookupd (contract §6): one thread registers topics and channels with every
 * peer ({@link io.holdfast.broker.lookup.LookupLoop}); new topics learn their channels from the
 * peers over HTTP ({@link io.holdfast.broker.lookup.ChannelLookup}).
 */
package io.holdfast.broker.lookup;
