"""Letras of the web: pages are fetched and kept, then read; one file a kind of source.

    base.py     what a source is     site.py, blogger.py, lrclib.py, mediawiki.py  the sources
    rules.py    a site's TOML        html.py, reading.py, wikitext.py              pages are read
    pages.py    pages on disk        crawl.py, manners.py                          sites are asked
    intake.py   from a name that a person types to verses

Only crawl.py and manners.py know the network, and Scrapy; they are imported when it is asked.
"""
