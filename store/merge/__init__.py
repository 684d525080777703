"""Merging one library into another: pictures, contents, vectors, and user data. The other one is only read.

store.merge.placing    where the folders of the other library are in this one
store.merge.finding    the same for folders that are not at their paths
store.merge.loading    a batch of contents, with all that the other catalogue has about them
store.merge.spaces     the spaces of the other library: merged, carried, or left out
store.merge.contents   writing contents and facts that are missing here
store.merge.vectors    writing vectors that are missing here
store.merge.pictures   writing pictures, and deciding between two records of one file
store.merge.said       user data, as a snapshot of the other library
store.merge.merging    the order of all of it
"""
