"""XMP sidecars of several programs, for tests of changing them."""

from pictures.metadata.xmp import read_xmp
from pictures.metadata.xmp_sidecar import EditedSidecar

__all__ = ["DARKTABLE", "DC", "DIGIKAM", "NEW_END", "RDF", "XMP", "bag", "keywords", "sidecar"]

DARKTABLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:darktable="http://darktable.sf.net/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
   xmp:Rating="2"
   darktable:xmp_version="5"
   darktable:raw_params="0">
   <darktable:masks_history><rdf:Seq/></darktable:masks_history>
   <!-- a comment -->
   <darktable:history>
    <rdf:Seq>
     <rdf:li
      darktable:num="0" darktable:operation="exposure"
      darktable:params="gz04eJxj&gt;YA"/>
    </rdf:Seq>
   </darktable:history>
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Rome</rdf:li>
     <rdf:li>caf&#xe9; &amp; co</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <lr:hierarchicalSubject>
    <rdf:Bag>
     <rdf:li>Places|Rome</rdf:li>
    </rdf:Bag>
   </lr:hierarchicalSubject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""

NEW_END = b' </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>\n'
"""The end of a sidecar by Sightline."""

DIGIKAM = b"""<rdf:Description rdf:about="" xmlns:digiKam="http://www.digikam.org/ns/1.0/">
<digiKam:TagsList><rdf:Seq><rdf:li>trips/Rome</rdf:li><rdf:li>beach</rdf:li></rdf:Seq></digiKam:TagsList></rdf:Description>
"""

RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
XMP = 'xmlns:xmp="http://ns.adobe.com/xap/1.0/"'


def sidecar(inside: str = "", attributes: str = "") -> bytes:
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {RDF}>
 <rdf:Description rdf:about="" {DC} {XMP} xmlns:digiKam="http://www.digikam.org/ns/1.0/" {attributes}>
  {inside}
 </rdf:Description>
</rdf:RDF></x:xmpmeta>""".encode()


def bag(name: str, *items: str, kind: str = "Bag") -> str:
    listed = "".join(f"<rdf:li>{item}</rdf:li>" for item in items)
    return f"<{name}><rdf:{kind}>{listed}</rdf:{kind}></{name}>"


def keywords(edited: EditedSidecar) -> tuple[str, ...]:
    return read_xmp(edited.data).keywords
