/**
 * What Holdfast keeps on disk: a journal per topic, a ledger per channel, the metadata file and the
 * lock of the data directory. This package knows nothing of the network, and it is the only one
 * that imports Chronicle Queue. storage/README.md draws the formats and the crash points.
 */
package io.holdfast.storage;
