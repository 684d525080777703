"""Albums: saved searches, whose pictures change with the library, and pictures put together by hand.

store.albums.names       names in any spelling
store.albums.records     what both kinds share: names, covers, lists
store.albums.saved       saved searches
store.albums.by_hand     the pictures of an album by hand, and their order
store.albums.expansion   albums as filters
store.albums.listing     the pictures of an album in its order, counts and covers
"""
